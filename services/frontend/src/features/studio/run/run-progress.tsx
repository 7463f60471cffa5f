import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { Progress } from '@/components/ui/progress';
import { Spinner } from '@/components/ui/spinner';
import { formatPercent } from '@/lib/format';

import { stageText } from './stage-text';
import type { Stage } from './use-task-run';

interface RunProgressProps {
  stage: Stage;
  /** Whether the model is being loaded, which a request waits for in silence. */
  modelLoads: boolean;
  onCancel: () => void;
}

/** What the request is at, and the way to end it. */
export function RunProgress({ stage, modelLoads, onCancel }: RunProgressProps) {
  const { t, i18n } = useTranslation();
  const fraction = fractionOf(stage);
  const text = () => {
    if (stage.kind === 'working') return stageText(stage.progress.stage, t);
    if (stage.kind === 'loading') return t('studio.stage.loading');
    const silent = stage.fraction === null && modelLoads;
    return t(silent ? 'studio.loadingModel' : 'studio.stage.sending');
  };
  return (
    <div className="grid gap-3 rounded-2xl border border-border bg-surface p-4 sm:px-5">
      <div className="flex items-center gap-3">
        <Spinner className="text-primary" />
        <p className="min-w-0 flex-1" role="status">
          {text()}
        </p>
        {fraction !== null && (
          <span className="text-sm text-muted tabular-nums" aria-hidden>
            {formatPercent(fraction, i18n.language)}
          </span>
        )}
        <Button variant="outline" size="small" onClick={onCancel}>
          {t('app.cancel')}
        </Button>
      </div>
      <Progress value={fraction} label={text()} />
    </div>
  );
}

function fractionOf(stage: Stage): number | null {
  if (stage.kind === 'loading') return null;
  return stage.kind === 'working' ? stage.progress.fraction : stage.fraction;
}

import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { Progress } from '@/components/ui/progress';
import { Spinner } from '@/components/ui/spinner';
import { formatPercent } from '@/lib/format';

import { stageText } from './stage-text';
import type { Stage } from './use-task-run';

/** What the request is at, and the way to end it. */
export function RunProgress({ stage, onCancel }: { stage: Stage; onCancel: () => void }) {
  const { t, i18n } = useTranslation();
  const fraction = stage.kind === 'working' ? stage.progress.fraction : null;
  const text =
    stage.kind === 'working'
      ? stageText(stage.progress.stage, t)
      : t(stage.kind === 'loading' ? 'studio.stage.loading' : 'studio.stage.sending');
  return (
    <div className="grid gap-3 rounded-2xl border border-border bg-surface p-4 sm:px-5">
      <div className="flex items-center gap-3">
        <Spinner className="text-primary" />
        <p className="min-w-0 flex-1" role="status">
          {text}
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
      <Progress value={fraction} label={text} />
    </div>
  );
}

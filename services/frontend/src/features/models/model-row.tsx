import { Link } from '@tanstack/react-router';
import { FileText } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import type { SlotModel } from '@/api/types';
import { StateDot } from '@/components/state-dot';
import { Button } from '@/components/ui/button';
import { formatBytes } from '@/lib/format';

import { Remedy } from './remedy';

/** One checkpoint: its state, its size, the memory it takes, its card. */
export function ModelRow({ model }: { model: SlotModel }) {
  const { t, i18n } = useTranslation();
  const bytes = (value: number) => formatBytes(value, i18n.language);
  const count = (value: number) =>
    new Intl.NumberFormat(i18n.language, { notation: 'compact' }).format(value);
  const facts = [
    [model.format, model.dtype].filter(Boolean).join(' '),
    model.architecture,
    model.parameters != null && t('models.parameters', { shown: count(model.parameters) }),
    t('models.onDisk', { size: bytes(model.bytes) }),
    model.memory !== null &&
      model.memory.host > 0 &&
      t('models.inMemory', { size: bytes(model.memory.host) }),
    model.memory !== null &&
      model.memory.device > 0 &&
      t('models.onDevice', { size: bytes(model.memory.device) }),
    model.context_length != null && t('models.context', { shown: count(model.context_length) }),
    model.dimensions != null && t('models.dimensions', { shown: count(model.dimensions) }),
    model.licence,
  ].filter((fact): fact is string => typeof fact === 'string' && fact !== '');
  const tag = 'rounded-full bg-code px-2 py-0.5 text-xs text-muted';
  return (
    <li className="grid gap-1.5 py-3">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <p className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="font-medium break-all">{model.id}</span>
          <span className="flex items-center gap-1.5 text-sm text-muted">
            <StateDot state={model.state} /> {t(`models.state.${model.state}`)}
          </span>
          {model.default && <span className={tag}>{t('models.default')}</span>}
          {model.starter && <span className={tag}>{t('models.starter')}</span>}
        </p>
        {model.has_card && (
          <Button asChild variant="outline" size="small">
            <Link
              to="/models"
              search={{ card: model.id }}
              resetScroll={false}
              aria-label={t('models.cardOf', { model: model.id })}
            >
              <FileText className="size-4" aria-hidden /> {t('models.card')}
            </Link>
          </Button>
        )}
      </div>
      <p className="text-sm break-words text-muted">{facts.join(' · ')}</p>
      {model.labels !== null && model.labels.length > 0 && (
        <p className="text-sm text-muted">
          {t('models.labels', { labels: model.labels.slice(0, 12).join(', ') })}
        </p>
      )}
      {model.problem !== null && (
        <p className="text-sm text-danger">
          <Remedy text={model.problem} />
        </p>
      )}
    </li>
  );
}

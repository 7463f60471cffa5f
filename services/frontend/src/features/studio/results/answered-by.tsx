import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Timings } from '@/api/types';
import { formatSeconds } from '@/lib/format';

interface AnsweredByProps {
  model: string | null;
  timings: Timings | null;
}

const parts = ['queue', 'preprocess', 'forward', 'postprocess'] as const;

/** Which model answered, and where the time went. */
export function AnsweredBy({ model, timings }: AnsweredByProps) {
  const { t, i18n } = useTranslation();
  const seconds = (value: number) => formatSeconds(value, i18n.language);
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1 border-t border-border pt-4 text-sm">
      {model !== null && (
        <div className="flex gap-1.5">
          <dt className="shrink-0 text-muted">{t('studio.result.model')}</dt>
          <dd>
            <Link
              to="/models"
              search={{ card: model }}
              className="font-medium text-primary underline underline-offset-2"
            >
              {model}
            </Link>
          </dd>
        </div>
      )}
      {timings !== null && (
        <div className="flex gap-1.5">
          <dt className="shrink-0 text-muted">{t('studio.result.time')}</dt>
          <dd className="tabular-nums">
            {seconds(timings.total)}{' '}
            <span className="text-muted">
              (
              {parts
                .map((part) => `${t(`studio.result.part.${part}`)} ${seconds(timings[part])}`)
                .join(' · ')}
              )
            </span>
          </dd>
        </div>
      )}
    </dl>
  );
}

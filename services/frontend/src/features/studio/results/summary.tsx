import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import { CopyButton } from '@/components/copy-button';

interface SummaryProps {
  result: TaskResults['text_summarization'];
  text: string | null;
}

/** A summary beside the text that it is of. */
export function Summary({ result, text }: SummaryProps) {
  const { t, i18n } = useTranslation();
  const count = (value: number) => new Intl.NumberFormat(i18n.language).format(value);
  const column = 'grid min-w-0 content-start gap-2';
  return (
    <div className="grid gap-6 md:grid-cols-2">
      <div className={column}>
        <div className="flex min-h-8 items-center justify-between gap-2">
          <h3 className="text-sm font-medium text-muted">
            {t('studio.summary.summary')} ·{' '}
            {t('studio.summary.tokens', {
              count: result.summary_tokens,
              shown: count(result.summary_tokens),
            })}
          </h3>
          <CopyButton label={t('studio.summary.copy')} text={() => result.summary} />
        </div>
        <p className="leading-relaxed whitespace-pre-line" data-testid="summary">
          {result.summary}
        </p>
      </div>
      {text !== null && (
        <div className={column}>
          <h3 className="flex min-h-8 items-center text-sm font-medium text-muted">
            {t('studio.summary.source')} ·{' '}
            {t('studio.summary.tokens', {
              count: result.input_tokens,
              shown: count(result.input_tokens),
            })}
            {result.chunks > 1 && ` · ${t('studio.summary.chunks', { count: result.chunks })}`}
          </h3>
          {/* A scrolling area must be reachable by keyboard. */}
          <div
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
            className="max-h-96 overflow-y-auto rounded-xl bg-code p-4 text-sm leading-relaxed whitespace-pre-line text-muted"
          >
            {text}
          </div>
        </div>
      )}
    </div>
  );
}

import { useTranslation } from 'react-i18next';

import { Markdown } from '@/features/chat/markdown/markdown';

import { cardBody } from './card-body';

/** What the release says of a slot that it leaves empty, behind one line. */
export function SlotNote({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <details className="text-sm">
      <summary className="w-fit text-primary underline underline-offset-2">
        {t('studio.empty.why')}
      </summary>
      <div className="mt-3">
        {/* Its title says what stands above. */}
        <Markdown text={cardBody(text).replace(/^# .*\n+/, '')} />
      </div>
    </details>
  );
}

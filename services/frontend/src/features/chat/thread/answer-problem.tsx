import { useTranslation } from 'react-i18next';

import type { Message } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { answerRemedy } from '@/lib/error-text';

/** Why an answer is not whole, and what to do. The server's own words follow in small print. */
export function AnswerProblem({ message }: { message: Message }) {
  const { t } = useTranslation();
  if (message.status === 'stopped') {
    return <p className="mt-2 text-sm text-muted">{t('chat.stopped')}</p>;
  }
  if (message.status !== 'failed') return null;
  return (
    <Alert className="mt-2">
      <p>{answerRemedy(message.error?.code, t)}</p>
      {message.error !== null && <p className="mt-1 text-xs">{message.error.message}</p>}
    </Alert>
  );
}

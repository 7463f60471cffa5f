import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Message } from '@/api/types';
import { answerRemedy } from '@/lib/error-text';

import { isLive } from '../runs/use-run';

/** Enough to be read out; the rest is on the page. */
const longest = 1500;

/** Tells screen readers about an answer once, when the one they saw begin is finished. */
export function AnswerAnnouncer({ message }: { message: Message | undefined }) {
  const { t } = useTranslation();
  const [awaited, setAwaited] = useState<string>();
  const [text, setText] = useState('');

  if (message !== undefined && isLive(message)) {
    if (awaited !== message.id) {
      setAwaited(message.id);
      setText('');
    }
  } else if (message !== undefined && message.id === awaited) {
    setAwaited(undefined);
    setText(
      message.status === 'failed'
        ? answerRemedy(message.error?.code, t)
        : t('chat.finishedAnswer', { text: message.content.slice(0, longest) }),
    );
  }
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {text}
    </div>
  );
}

import { useTranslation } from 'react-i18next';

import { Spinner } from '@/components/ui/spinner';

import type { LiveRun } from '../runs/live-run';

interface AnswerProgressProps {
  run: LiveRun | null;
  /** Some text is already there. */
  started: boolean;
}

/** What an unfinished answer is waiting for. */
export function AnswerProgress({ run, started }: AnswerProgressProps) {
  const { t } = useTranslation();
  if (run?.reconnecting === true) return <Line text={t('chat.reconnecting')} />;
  if (run?.phase === 'queued') {
    const { position } = run;
    return <Line text={position === null ? t('chat.queued') : t('chat.queuedAt', { position })} />;
  }
  return started ? <span className="writing" aria-hidden /> : <Line text={t('chat.thinking')} />;
}

function Line({ text }: { text: string }) {
  return (
    <p className="mt-1 flex items-center gap-2 text-sm text-muted">
      <Spinner /> {text}
    </p>
  );
}

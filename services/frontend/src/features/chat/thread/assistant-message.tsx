import { RefreshCw } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';

import { CopyButton } from '@/components/copy-button';
import { Logo } from '@/components/logo';
import { Button } from '@/components/ui/button';

import { Markdown } from '../markdown/markdown';
import { isLive, useRun } from '../runs/use-run';
import { AnswerProgress } from './answer-progress';
import { AnswerProblem } from './answer-problem';
import type { PathStep } from './message-tree';
import { VersionSwitch } from './version-switch';

interface AssistantMessageProps extends PathStep {
  onSelect: (messageId: string) => void;
  onRegenerate: (messageId: string) => void;
}

/** One answer. While it is written only this component hears of new text, not the thread. */
export const AssistantMessage = memo(function AssistantMessage({
  message: stored,
  onSelect,
  onRegenerate,
  ...versions
}: AssistantMessageProps) {
  const { t } = useTranslation();
  const run = useRun(stored);
  const message = run?.final ?? stored;
  const live = isLive(message);
  const text = (live ? run?.text : null) ?? message.content;
  const status = live && run?.phase === 'streaming' ? 'streaming' : message.status;

  return (
    <article
      data-role="assistant"
      data-status={status}
      data-message-id={message.id}
      aria-busy={live}
      aria-label={
        message.model === null ? t('chat.answer') : t('chat.answerFrom', { model: message.model })
      }
      className="message flex gap-3"
    >
      <Logo className="mt-0.5 size-7 shrink-0 max-sm:hidden" />
      <div className="min-w-0 flex-1">
        {text !== '' && <Markdown text={text} />}
        {live && <AnswerProgress run={run} started={text !== ''} />}
        <AnswerProblem message={message} />
        {!live && (
          <div className="mt-1 -ml-2 flex flex-wrap items-center gap-x-1">
            <VersionSwitch {...versions} onSelect={onSelect} />
            <CopyButton label={t('chat.copyMessage')} text={() => message.content} />
            <Button
              variant="quiet"
              size="iconSmall"
              aria-label={t('chat.regenerate')}
              title={t('chat.regenerate')}
              onClick={() => onRegenerate(message.id)}
            >
              <RefreshCw className="size-4" aria-hidden />
            </Button>
            {message.usage !== null && (
              <span className="pl-1 text-xs text-muted">
                {t('chat.usage', {
                  prompt: message.usage.prompt_tokens,
                  completion: message.usage.completion_tokens,
                })}
              </span>
            )}
          </div>
        )}
      </div>
    </article>
  );
});

import { ArrowDown } from 'lucide-react';
import { useLayoutEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { useVisible } from '@/lib/use-visible';

import { AssistantMessage } from './assistant-message';
import type { PathStep } from './message-tree';
import { useStickToBottom } from './use-stick-to-bottom';
import { UserMessage } from './user-message';

interface ThreadProps {
  path: PathStep[];
  /** Null when the oldest message is there. */
  onLoadEarlier: (() => void) | null;
  loadingEarlier: boolean;
  onSelect: (messageId: string) => void;
  onRegenerate: (messageId: string) => void;
  onEdit: (parentId: string | null, content: string) => Promise<unknown>;
}

/** The messages of one branch, scrolled to the newest. */
export function Thread(props: ThreadProps) {
  const { path, onLoadEarlier, loadingEarlier, onSelect, onRegenerate, onEdit } = props;
  const { t } = useTranslation();
  const { viewport, content, atBottom, toBottom } = useStickToBottom();
  const earlier = useVisible<HTMLDivElement>(() => onLoadEarlier?.(), '400px');

  // A question just asked, or an answer begun again, is what the reader wants to see.
  const leaf = path.at(-1)?.message;
  const shownLeaf = useRef(leaf?.id);
  useLayoutEffect(() => {
    if (leaf !== undefined && leaf.id !== shownLeaf.current && leaf.status === 'queued') toBottom();
    shownLeaf.current = leaf?.id;
  }, [leaf, toBottom]);

  return (
    <div className="relative min-h-0 flex-1">
      {/* The whole answer is read out by the announcer when it is finished, not every token. */}
      <div
        ref={viewport}
        role="log"
        aria-live="off"
        aria-label={t('chat.messages')}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrolls by keyboard
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain focus-visible:-outline-offset-2"
      >
        <div ref={content} className="mx-auto flex max-w-3xl flex-col gap-6 px-4 pt-4 pb-10">
          {onLoadEarlier !== null && (
            <div ref={earlier} className="flex justify-center">
              <Button
                variant="quiet"
                size="small"
                aria-disabled={loadingEarlier}
                onClick={onLoadEarlier}
              >
                {loadingEarlier && <Spinner />}
                {t('chat.loadEarlier')}
              </Button>
            </div>
          )}
          {path.map((step) =>
            step.message.role === 'assistant' ? (
              <AssistantMessage
                key={step.message.id}
                {...step}
                onSelect={onSelect}
                onRegenerate={onRegenerate}
              />
            ) : (
              <UserMessage key={step.message.id} {...step} onSelect={onSelect} onEdit={onEdit} />
            ),
          )}
        </div>
      </div>
      {!atBottom && (
        <Button
          variant="outline"
          size="icon"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-md"
          aria-label={t('chat.jumpToLatest')}
          title={t('chat.jumpToLatest')}
          onClick={() => toBottom('smooth')}
        >
          <ArrowDown className="size-5" aria-hidden />
        </Button>
      )}
    </div>
  );
}

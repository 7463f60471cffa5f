import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '@/api/error';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { errorText } from '@/lib/error-text';
import { useTitle } from '@/lib/use-title';
import { LoadingPage } from '@/pages/loading';
import { NotFoundPage } from '@/pages/not-found';

import { ChatHeader } from './chat-header';
import { Composer } from './composer/composer';
import { useModelChoice } from './models/use-model-choice';
import { conversationQuery, messagesQuery } from './queries';
import { isLive } from './runs/use-run';
import { AnswerAnnouncer } from './thread/answer-announcer';
import { flatten } from './thread/message-cache';
import { newestLeafBelow, pathTo } from './thread/message-tree';
import { Thread } from './thread/thread';
import { useConversationActions } from './use-conversation-actions';
import { useDraft } from './use-draft';

/** One stored conversation: its messages and the composer. */
export function ConversationView({ conversationId }: { conversationId: string }) {
  const { t } = useTranslation();
  const conversation = useQuery(conversationQuery(conversationId));
  const pages = useInfiniteQuery(messagesQuery(conversationId));
  const choice = useModelChoice(conversationId);
  const { send, regenerate, stop } = useConversationActions(conversationId);
  const [draft, setDraft] = useDraft(conversationId);
  const title = conversation.data?.title ?? '';
  useTitle(title || t('chat.title'));

  const messages = useMemo(() => flatten(pages.data?.pages ?? []), [pages.data]);
  // Null follows the newest message, wherever it appears.
  const [leafId, setLeafId] = useState<string | null>(null);
  const path = useMemo(() => pathTo(messages, leafId), [messages, leafId]);
  const leaf = path.at(-1)?.message;
  // One answer at a time in a conversation, also if its branch is not the one shown.
  const running = messages.findLast(isLive)?.run_id ?? null;

  const onSelect = useCallback(
    (id: string) => setLeafId(newestLeafBelow(messages, id)),
    [messages],
  );
  const { mutate: regenerateAnswer } = regenerate;
  const { chosen: model } = choice;
  const onRegenerate = useCallback(
    (messageId: string) =>
      regenerateAnswer({ messageId, model }, { onSuccess: () => setLeafId(null) }),
    [regenerateAnswer, model],
  );
  const { mutateAsync: ask } = send;
  const onEdit = useCallback(
    async (parentId: string | null, content: string) => {
      await ask({ content, parent_id: parentId, ...(model !== undefined && { model }) });
      setLeafId(null);
    },
    [ask, model],
  );
  const onSend = (content: string) =>
    send.mutate(
      {
        content,
        ...(leaf !== undefined && { parent_id: leaf.id }),
        ...(model !== undefined && { model }),
      },
      {
        onSuccess: () => {
          setDraft('');
          setLeafId(null);
        },
      },
    );

  if (conversation.error instanceof ApiError && conversation.error.status === 404) {
    return <NotFoundPage />;
  }
  return (
    <>
      <ChatHeader title={title} choice={choice} />
      {pages.isPending ? (
        <LoadingPage />
      ) : pages.isError && messages.length === 0 ? (
        <div className="m-auto grid max-w-md gap-3 p-4">
          <Alert>{`${t('chat.loadFailed')} ${errorText(pages.error, t)}`}</Alert>
          <Button variant="outline" onClick={() => void pages.refetch()}>
            {t('app.retry')}
          </Button>
        </div>
      ) : path.length === 0 ? (
        <p className="m-auto p-4 text-muted">{t('chat.emptyConversation')}</p>
      ) : (
        <Thread
          path={path}
          onLoadEarlier={pages.hasNextPage ? () => void pages.fetchNextPage() : null}
          loadingEarlier={pages.isFetchingNextPage}
          onSelect={onSelect}
          onRegenerate={onRegenerate}
          onEdit={onEdit}
        />
      )}
      <AnswerAnnouncer message={leaf} />
      <Composer
        text={draft}
        onTextChange={setDraft}
        onSend={onSend}
        sending={send.isPending}
        onStop={running === null ? null : () => stop.mutate(running)}
        stopping={stop.isPending || stop.variables === running}
        error={send.error}
      />
    </>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { conversations, type NewMessage } from '@/api/conversations';
import { runs } from '@/api/runs';
import type { Accepted } from '@/api/types';
import { errorText } from '@/lib/error-text';
import { toasts } from '@/lib/toasts';

import { conversationQuery, conversationsKey, messagesQuery } from './queries';
import { appended, awaitedAnswer } from './thread/message-cache';

/** Asking, asking again and stopping in one conversation. Failures to send stay with the caller. */
export function useConversationActions(conversationId: string) {
  const queryClient = useQueryClient();
  const { t } = useTranslation();
  const { queryKey } = messagesQuery(conversationId);

  const accept = async (accepted: Accepted) => {
    // A fetch under way would bring the list as it was before.
    await queryClient.cancelQueries({ queryKey });
    const answer = awaitedAnswer(accepted);
    const added = accepted.message.id === answer.id ? [answer] : [accepted.message, answer];
    queryClient.setQueryData(queryKey, (data) => appended(data, added));
    // The first question gives the conversation its title, every one its place in the list.
    void queryClient.invalidateQueries({ queryKey: conversationQuery(conversationId).queryKey });
    void queryClient.invalidateQueries({ queryKey: conversationsKey });
  };
  const report = (error: Error) => toasts.show(errorText(error, t), 'danger');

  const send = useMutation({
    mutationFn: (body: NewMessage) => conversations.send(conversationId, body),
    onSuccess: accept,
  });
  const regenerate = useMutation({
    mutationFn: ({ messageId, model }: { messageId: string; model: string | undefined }) =>
      conversations.regenerate(conversationId, messageId, model === undefined ? {} : { model }),
    onSuccess: accept,
    onError: report,
  });
  const stop = useMutation({
    mutationFn: runs.cancel,
    onError: report,
  });
  return { send, regenerate, stop };
}

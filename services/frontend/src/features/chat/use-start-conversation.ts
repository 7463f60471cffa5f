import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';

import { conversations } from '@/api/conversations';
import type { Conversation } from '@/api/types';

import { conversationsKey, messagesQuery } from './queries';
import { appended, awaitedAnswer } from './thread/message-cache';

/** Makes a conversation with its first question, and goes there. */
export function useStartConversation(onSent: () => void) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  // If only the question was refused, the next try uses the conversation already made.
  const made = useRef<Conversation>(null);

  return useMutation({
    mutationFn: async ({ content, model }: { content: string; model: string | undefined }) => {
      const chosen = model === undefined ? {} : { model };
      made.current ??= await conversations.create(chosen);
      const conversation = made.current;
      const accepted = await conversations.send(conversation.id, { content, ...chosen });
      return { conversation, accepted };
    },
    onSuccess: async ({ conversation, accepted }) => {
      made.current = null;
      onSent();
      queryClient.setQueryData(messagesQuery(conversation.id).queryKey, () =>
        appended(undefined, [accepted.message, awaitedAnswer(accepted)]),
      );
      void queryClient.invalidateQueries({ queryKey: conversationsKey });
      await navigate({
        to: '/chat/$conversationId',
        params: { conversationId: conversation.id },
      });
    },
  });
}

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { conversations } from '@/api/conversations';
import { server } from '@/api/server';

/** Ask again soon while a model is loading, rarely otherwise. Milliseconds. */
const loadingInterval = 3_000;
const idleInterval = 60_000;

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => server.models(signal),
  refetchInterval: ({ state }) =>
    state.data?.some((model) => model.state === 'loading') === true
      ? loadingInterval
      : idleInterval,
});

/** Key of every list of conversations, whatever is searched for. */
export const conversationsKey = ['conversations'] as const;

export const conversationsQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: [...conversationsKey, search],
    queryFn: ({ pageParam, signal }) =>
      conversations.list(
        {
          limit: 30,
          ...(search !== '' && { query: search }),
          ...(pageParam && { cursor: pageParam }),
        },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => conversations.get(id, signal),
  });

export const messagesQuery = (conversationId: string) =>
  infiniteQueryOptions({
    queryKey: ['messages', conversationId],
    queryFn: ({ pageParam, signal }) =>
      conversations.messages(
        conversationId,
        { limit: 50, ...(pageParam && { cursor: pageParam }) },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    // Pages lead from the newest messages to the oldest.
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

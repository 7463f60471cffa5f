import { queryOptions } from '@tanstack/react-query';

import { server } from '@/api/server';

/** Ask again soon while a model is loading, now and then otherwise. Milliseconds. */
const loadingInterval = 2_000;
const idleInterval = 15_000;

export const slotsQuery = queryOptions({
  queryKey: ['slots'],
  queryFn: ({ signal }) => server.slots(signal),
  refetchInterval: ({ state }) =>
    state.data?.slots.some((slot) => slot.models.some((model) => model.state === 'loading')) ===
    true
      ? loadingInterval
      : idleInterval,
});

export const cardQuery = (id: string) =>
  queryOptions({
    queryKey: ['card', id],
    queryFn: ({ signal }) => server.card(id, signal),
    staleTime: 60_000,
  });

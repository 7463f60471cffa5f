import { queryOptions } from '@tanstack/react-query';

import { auth } from '@/api/auth';

export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  queryFn: ({ signal }) => auth.apiKeys(signal),
});

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => auth.sessions(signal),
});

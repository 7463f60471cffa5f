import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';

import { ApiError } from '@/api/error';

/** A refusal stays a refusal; only a lost connection or a fault of the server is asked again. */
function isWorthRetrying(failures: number, error: Error): boolean {
  return (
    failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502)
  );
}

/** `onError` sees every error of every query and mutation, for what concerns the session. */
export function createAppQueryClient(onError: (error: Error) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // The browser's idea of being online is wrong for a server on the local network, and on a
      // machine without one: what was paused then would leave the page blank.
      queries: { networkMode: 'always', retry: isWorthRetrying, staleTime: 5_000 },
      mutations: { networkMode: 'always' },
    },
  });
}

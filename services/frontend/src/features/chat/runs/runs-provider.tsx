import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useState } from 'react';

import { ApiError } from '@/api/error';

import { conversationsKey } from '../queries';
import { replaced, type MessagePages } from '../thread/message-cache';
import { RunRegistry } from './run-registry';
import { RunsContext } from './use-run';

/** Keeps the runs that are followed, and writes what they end with into the query cache. */
export function RunsProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [registry] = useState(
    () =>
      new RunRegistry({
        onFinal: (message) => {
          queryClient.setQueriesData<MessagePages>({ queryKey: ['messages'] }, (data) =>
            replaced(data, message),
          );
          void queryClient.invalidateQueries({ queryKey: conversationsKey });
        },
        onLost: (error) => {
          void queryClient.invalidateQueries({ queryKey: ['messages'] });
          if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
            void queryClient.invalidateQueries({ queryKey: ['me'] });
          }
        },
      }),
  );
  return <RunsContext value={registry}>{children}</RunsContext>;
}

import { createContext, use, useCallback, useSyncExternalStore } from 'react';

import type { Message } from '@/api/types';

import type { LiveRun } from './live-run';
import type { RunRegistry } from './run-registry';

export const RunsContext = createContext<RunRegistry | null>(null);

export function isLive(message: Message): boolean {
  return message.status === 'queued' || message.status === 'streaming';
}

const nothing = () => () => undefined;

/** The run that is writing `message`, followed while mounted; null for a finished message. */
export function useRun(message: Message): LiveRun | null {
  const registry = use(RunsContext);
  if (registry === null) throw new Error('RunsContext is missing');
  const runId = isLive(message) ? message.run_id : null;
  const subscribe = useCallback(
    (listener: () => void) => (runId === null ? nothing() : registry.subscribe(runId, listener)),
    [registry, runId],
  );
  return useSyncExternalStore(subscribe, () => (runId === null ? null : registry.snapshot(runId)));
}

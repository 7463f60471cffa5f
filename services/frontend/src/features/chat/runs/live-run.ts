import type { RunEvent } from '@/api/events';
import type { Message } from '@/api/types';

/** What is known about a run while it is followed. A new object at every change. */
export interface LiveRun {
  phase: 'connecting' | 'queued' | 'streaming' | 'ended' | 'lost';
  /** The connection broke and is being made again. */
  reconnecting: boolean;
  /** Place in the queue, 1 = next; null when not queued. */
  position: number | null;
  /** The answer so far; null until the stream has said anything about it. */
  text: string | null;
  /** The finished message, from the final event. */
  final: Message | null;
}

export const unknownRun: LiveRun = {
  phase: 'connecting',
  reconnecting: false,
  position: null,
  text: null,
  final: null,
};

/** The state after one event. */
export function applyEvent(run: LiveRun, event: RunEvent): LiveRun {
  switch (event.name) {
    case 'message': {
      const { status, content } = event.data.message;
      return { ...run, phase: status === 'queued' ? 'queued' : 'streaming', text: content };
    }
    case 'queued':
      return { ...run, phase: 'queued', position: event.data.position };
    case 'delta':
      return {
        ...run,
        phase: 'streaming',
        position: null,
        text: (run.text ?? '') + event.data.text,
      };
    case 'usage':
      return run;
    case 'done':
    case 'error':
      return {
        phase: 'ended',
        reconnecting: false,
        position: null,
        text: null,
        final: event.data.message,
      };
  }
}

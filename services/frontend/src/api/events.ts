/** Events of a run, as sent by GET /api/runs/{id}/events. */
import type { Message } from './types';

interface EventData {
  message: { message: Message };
  queued: { position: number };
  delta: { message_id: string; text: string };
  usage: { prompt_tokens: number; completion_tokens: number };
  done: { message: Message };
  error: { error: { code: string; message: string }; message: Message };
}

export type RunEvent = {
  [Name in keyof EventData]: { name: Name; data: EventData[Name] };
}[keyof EventData];

const names = new Set<string>([
  'message',
  'queued',
  'delta',
  'usage',
  'done',
  'error',
] satisfies (keyof EventData)[]);

/** Null for an event this version does not know: a newer server may send more kinds. */
export function parseRunEvent(name: string, data: string): RunEvent | null {
  if (!names.has(name)) return null;
  return { name, data: JSON.parse(data) as unknown } as RunEvent;
}

/** True for the one event after which nothing follows. */
export function isFinal(event: RunEvent): event is Extract<RunEvent, { name: 'done' | 'error' }> {
  return event.name === 'done' || event.name === 'error';
}

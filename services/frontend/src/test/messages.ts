import type { Message } from '@/api/types';

/** A message as the server sends it; `id` is the only thing that must be said. */
export function message(id: string, more: Partial<Message> = {}): Message {
  return {
    id,
    parent_id: null,
    role: 'user',
    content: `text of ${id}`,
    status: 'complete',
    model: null,
    run_id: null,
    error: null,
    usage: null,
    created_at: '2026-01-01T00:00:00Z',
    ...more,
  };
}

import type { InfiniteData } from '@tanstack/react-query';

import type { Accepted, Message, MessagePage } from '@/api/types';

/** Pages as fetched: the newest first, each ascending in time. */
export type MessagePages = InfiniteData<MessagePage>;

/** All messages of the pages, ascending in time, each once. */
export function flatten(pages: readonly MessagePage[]): Message[] {
  const seen = new Set<string>();
  return pages
    .toReversed()
    .flatMap((page) => page.items)
    .filter((message) => !seen.has(message.id) && seen.add(message.id));
}

/** Adds messages at the newest end, replacing those already there. */
export function appended(data: MessagePages | undefined, added: Message[]): MessagePages {
  const ids = new Set(added.map((message) => message.id));
  const [newest, ...older] = data?.pages ?? [];
  const kept = newest?.items.filter((message) => !ids.has(message.id)) ?? [];
  return {
    pages: [{ items: [...kept, ...added], next_cursor: newest?.next_cursor ?? null }, ...older],
    pageParams: data?.pageParams ?? [undefined],
  };
}

/** Puts `message` in the place of the one with its id; all other objects stay the same. */
export function replaced(
  data: MessagePages | undefined,
  message: Message,
): MessagePages | undefined {
  return (
    data && {
      ...data,
      pages: data.pages.map((page) =>
        page.items.some((item) => item.id === message.id)
          ? { ...page, items: page.items.map((item) => (item.id === message.id ? message : item)) }
          : page,
      ),
    }
  );
}

/** The answer that an accepted question will get, before its first event. */
export function awaitedAnswer({ message, run }: Accepted): Message {
  if (message.role === 'assistant') return { ...message, run_id: run.id };
  return {
    id: run.message_id,
    parent_id: message.id,
    role: 'assistant',
    content: '',
    status: 'queued',
    model: run.model,
    run_id: run.id,
    error: null,
    usage: null,
    created_at: run.created_at,
  };
}

/** Reads server-sent events, of one connection and across lost ones. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';

import { backoff, pause } from '@/lib/backoff';

import { ApiError } from './error';

/** The servers ping every 15 s at least; silence for longer than this means the line is dead. */
const silenceLimit = 40_000;

/**
 * Gives each event of `body` to `onEvent` until that returns true or the body ends.
 * True if `onEvent` ended it. `onBytes` is called whenever something arrives, pings included.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onEvent: (message: EventSourceMessage) => boolean,
  onBytes?: () => void,
): Promise<boolean> {
  const state = { finished: false };
  const parser = createParser({
    onEvent: (message) => {
      if (!state.finished) state.finished = onEvent(message);
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return state.finished;
    onBytes?.();
    parser.feed(decoder.decode(value, { stream: true }));
    if (state.finished) return true;
  }
}

export interface FollowOptions<Event> {
  url: string;
  /** Id of the last event already known; only later ones are asked for. */
  lastEventId?: number | undefined;
  signal: AbortSignal;
  /** Null for an event that this version does not know. */
  parse: (name: string, data: string) => Event | null;
  /** True for the one event after which nothing follows. */
  isFinal: (event: Event) => boolean;
  onEvent: (event: Event, id: number) => void;
  onOpen?: (() => void) | undefined;
  /** Called with the number of failed attempts in a row, before each wait. */
  onReconnect?: ((attempt: number) => void) | undefined;
  fetch?: typeof fetch | undefined;
  wait?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Reads events until the final one, across lost connections: it asks again from the last id, and
 * an event seen before is dropped. Resolves after the final event, or when `signal` aborts. Throws
 * ApiError when the server refuses for good (4xx other than 408, 429).
 */
export async function followEvents<Event>(options: FollowOptions<Event>): Promise<void> {
  const { signal, wait = pause } = options;
  let lastId = options.lastEventId ?? 0;
  let attempt = 0;
  while (!signal.aborted) {
    let delay: number | null = null;
    try {
      const finished = await readOnce(options, lastId, (event, id) => {
        lastId = id;
        attempt = 0;
        options.onEvent(event, id);
      });
      if (finished) return;
    } catch (error) {
      if (isAborted(signal)) return;
      if (error instanceof ApiError) {
        if (isPermanent(error)) throw error;
        if (error.retryAfter !== null) delay = error.retryAfter * 1000;
      }
    }
    if (isAborted(signal)) return;
    attempt += 1;
    options.onReconnect?.(attempt);
    await wait(Math.max(backoff(attempt), Math.min(delay ?? 0, 30_000)), signal);
  }
}

// A call, because the compiler otherwise keeps the value it saw before an await.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function isPermanent(error: ApiError): boolean {
  return error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429;
}

/** One connection. True if the final event came, false if the stream ended before it. */
async function readOnce<Event>(
  options: FollowOptions<Event>,
  lastId: number,
  onEvent: (event: Event, id: number) => void,
): Promise<boolean> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  options.signal.addEventListener('abort', abort, { once: true });
  let watchdog = setTimeout(abort, silenceLimit);
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastId > 0) headers['Last-Event-ID'] = String(lastId);
    const response = await (options.fetch ?? fetch)(options.url, {
      headers,
      cache: 'no-store',
      signal: connection.signal,
    });
    // The final event was sent before; who still asks has missed it and must fetch what it told.
    if (response.status === 204) throw new ApiError(410, 'events_over', 'Nothing will follow.');
    if (!response.ok || response.body === null) {
      throw ApiError.from(response, await response.json().catch(() => null));
    }
    options.onOpen?.();
    let seen = lastId;
    return await readEvents(
      response.body,
      (message) => {
        const id = Number(message.id ?? NaN);
        if (!Number.isInteger(id) || id <= seen) return false;
        seen = id;
        const event = options.parse(message.event ?? '', message.data);
        if (event === null) return false;
        onEvent(event, id);
        return options.isFinal(event);
      },
      () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, silenceLimit);
      },
    );
  } finally {
    clearTimeout(watchdog);
    options.signal.removeEventListener('abort', abort);
    connection.abort();
  }
}

import { createParser } from 'eventsource-parser';

import { ApiError } from '@/api/error';
import { isFinal, parseRunEvent, type RunEvent } from '@/api/events';
import { runEventsUrl } from '@/api/runs';

import { backoff, pause } from './backoff';

/** The server pings every 15 s; silence for longer than this means the line is dead. */
const silenceLimit = 40_000;

export interface FollowOptions {
  runId: string;
  /** Id of the last event already known; only later ones are asked for. */
  lastEventId?: number;
  signal: AbortSignal;
  onEvent: (event: RunEvent, id: number) => void;
  onOpen?: () => void;
  /** Called with the number of failed attempts in a row, before each wait. */
  onReconnect?: (attempt: number) => void;
  fetch?: typeof fetch;
  wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Reads a run's events until its final one, across lost connections: it asks again from the
 * last id, and an event seen before is dropped. Resolves after `done` or `error`, or when
 * `signal` aborts. Throws ApiError when the server refuses for good (4xx other than 408, 429).
 */
export async function followRun(options: FollowOptions): Promise<void> {
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
async function readOnce(
  options: FollowOptions,
  lastId: number,
  onEvent: (event: RunEvent, id: number) => void,
): Promise<boolean> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  options.signal.addEventListener('abort', abort, { once: true });
  let watchdog = setTimeout(abort, silenceLimit);
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastId > 0) headers['Last-Event-ID'] = String(lastId);
    const response = await (options.fetch ?? fetch)(runEventsUrl(options.runId), {
      headers,
      cache: 'no-store',
      signal: connection.signal,
    });
    // The final event was sent before; who still asks has missed it and must fetch the message.
    if (response.status === 204) throw new ApiError(410, 'run_over', 'The run is over.');
    if (!response.ok || response.body === null) {
      throw ApiError.from(response, await response.json().catch(() => null));
    }
    options.onOpen?.();
    const state = { seen: lastId, finished: false };
    const parser = createParser({
      onEvent: (message) => {
        const id = Number(message.id ?? NaN);
        if (state.finished || !Number.isInteger(id) || id <= state.seen) return;
        state.seen = id;
        const event = parseRunEvent(message.event ?? '', message.data);
        if (event === null) return;
        state.finished = isFinal(event);
        onEvent(event, id);
      },
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return state.finished;
      clearTimeout(watchdog);
      watchdog = setTimeout(abort, silenceLimit);
      parser.feed(decoder.decode(value, { stream: true }));
      if (state.finished) return true;
    }
  } finally {
    clearTimeout(watchdog);
    options.signal.removeEventListener('abort', abort);
    connection.abort();
  }
}

import { expect, test, vi } from 'vitest';

import { ApiError } from '@/api/error';
import type { RunEvent } from '@/api/events';
import { sse, streamed } from '@/test/event-stream';
import { message } from '@/test/messages';

import { backoff } from '@/lib/backoff';
import { followRun } from './follow-run';

const delta = (id: number, text: string) => sse(id, 'delta', { message_id: 'a', text });
const done = (id: number) => sse(id, 'done', { message: message('a', { role: 'assistant' }) });

/** Follows a run over these connections, one after the other. */
async function follow(connections: (() => Response)[], lastEventId?: number) {
  const events: RunEvent[] = [];
  const asked: (string | null)[] = [];
  const waits: number[] = [];
  const fetch = vi.fn<typeof globalThis.fetch>((_url, init) => {
    asked.push(new Headers(init?.headers).get('Last-Event-ID'));
    const next = connections.shift();
    if (next === undefined) throw new Error('one connection too many');
    return Promise.resolve(next());
  });
  await followRun({
    runId: 'r',
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    fetch,
    wait: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    ...(lastEventId !== undefined && { lastEventId }),
  });
  const text = events.map((event) => (event.name === 'delta' ? event.data.text : '')).join('');
  return { events, asked, waits, text, fetch };
}

test('reads an answer to its end, events cut anywhere', async () => {
  const whole = delta(1, 'Pa') + ': ping\n\n' + delta(2, 'ris') + done(3);
  const { text, asked, fetch } = await follow([() => streamed(whole.match(/[\s\S]{1,7}/g) ?? [])]);
  expect(text).toBe('Paris');
  expect(asked).toEqual([null]);
  expect(fetch.mock.calls[0]?.[0]).toBe('/api/runs/r/events');
});

test('a character cut in two between pieces stays whole', async () => {
  const bytes = new TextEncoder().encode(delta(1, '潮汐') + done(2));
  const at = bytes.indexOf(0xe6) + 1;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.slice(0, at));
      controller.enqueue(bytes.slice(at));
      controller.close();
    },
  });
  expect((await follow([() => new Response(body)])).text).toBe('潮汐');
});

test('after a lost connection it asks from the last id, and drops what it had', async () => {
  const { text, asked, waits } = await follow([
    () => streamed([delta(1, 'Pa'), delta(2, 'r')], { breaks: true }),
    () => streamed([delta(2, 'r'), delta(3, 'is'), done(4)]),
  ]);
  expect(text).toBe('Paris');
  expect(asked).toEqual([null, '2']);
  expect(waits).toHaveLength(1);
});

test('a stream that ends before the final event is also a lost connection', async () => {
  const { asked } = await follow([() => streamed([delta(5, 'x')]), () => streamed([done(6)])], 4);
  expect(asked).toEqual(['4', '5']);
});

test('waits longer from failure to failure, and starts over after an event', async () => {
  const refuse = () => new Response(null, { status: 502 });
  const { waits } = await follow([
    refuse,
    refuse,
    refuse,
    () => streamed([delta(1, 'x')]),
    () => streamed([done(2)]),
  ]);
  expect(waits).toHaveLength(4);
  expect(waits[2]).toBeGreaterThan(waits[0] ?? Infinity);
  expect(waits[3]).toBeLessThan(waits[2] ?? 0);
});

test('waits as long as the server asks', async () => {
  const busy = () => new Response(null, { status: 503, headers: { 'Retry-After': '7' } });
  expect((await follow([busy, () => streamed([done(1)])])).waits).toEqual([7000]);
});

test('gives up when the server refuses for good', async () => {
  const gone = () =>
    Response.json({ error: { code: 'not_found', message: 'no such run' } }, { status: 404 });
  await expect(follow([gone])).rejects.toThrow(ApiError);
});

test('gives up when the final event was sent before', async () => {
  const over = () => new Response(null, { status: 204 });
  await expect(follow([over], 9)).rejects.toThrow(ApiError);
});

test('an unknown kind of event is passed over', async () => {
  const { events } = await follow([() => streamed([sse(1, 'citations', {}), done(2)])]);
  expect(events.map((event) => event.name)).toEqual(['done']);
});

test('the wait before a new attempt never exceeds five seconds', () => {
  for (let attempt = 1; attempt < 40; attempt += 1) {
    expect(backoff(attempt, () => 1)).toBeLessThanOrEqual(5000);
  }
});

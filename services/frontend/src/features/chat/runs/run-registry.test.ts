import { beforeEach, expect, test, vi } from 'vitest';

import { message } from '@/test/messages';

import type { FollowOptions } from './follow-run';
import { RunRegistry } from './run-registry';

let follows: FollowOptions[];
let registry: RunRegistry;
const onFinal = vi.fn();
const onLost = vi.fn();
const frames: FrameRequestCallback[] = [];
const drawFrame = () => frames.splice(0).forEach((frame) => frame(0));

beforeEach(() => {
  follows = [];
  frames.length = 0;
  vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame));
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  registry = new RunRegistry({
    onFinal,
    onLost,
    follow: (options) => {
      follows.push(options);
      return new Promise(() => undefined);
    },
  });
});

function say(text: string, id: number) {
  follows.at(-1)?.onEvent({ name: 'delta', data: { message_id: 'a', text } }, id);
}

test('many tokens in one frame are one change', () => {
  const listener = vi.fn();
  registry.subscribe('r', listener);
  for (let id = 1; id <= 100; id += 1) say('x', id);
  expect(listener).not.toHaveBeenCalled();
  drawFrame();
  expect(listener).toHaveBeenCalledTimes(1);
  expect(registry.snapshot('r').text).toBe('x'.repeat(100));
});

test('one connection serves all who listen, and closes with the last', () => {
  const first = registry.subscribe('r', vi.fn());
  const second = registry.subscribe('r', vi.fn());
  expect(follows).toHaveLength(1);
  first();
  expect(follows[0]?.signal.aborted).toBe(false);
  second();
  expect(follows[0]?.signal.aborted).toBe(true);
});

test('who comes back goes on from the last event', () => {
  const leave = registry.subscribe('r', vi.fn());
  say('Pa', 7);
  leave();
  registry.subscribe('r', vi.fn());
  expect(follows[1]?.lastEventId).toBe(7);
  say('ris', 8);
  drawFrame();
  expect(registry.snapshot('r').text).toBe('Paris');
});

test('a snapshot replaces what was there', () => {
  registry.subscribe('r', vi.fn());
  say('old', 1);
  const snapshot = message('a', { content: 'whole text', status: 'streaming' });
  follows[0]?.onEvent({ name: 'message', data: { message: snapshot } }, 2);
  drawFrame();
  expect(registry.snapshot('r').text).toBe('whole text');
});

test('the final event is shown at once and nothing is asked again', () => {
  const listener = vi.fn();
  const leave = registry.subscribe('r', listener);
  say('par', 1);
  const final = message('a', { role: 'assistant', content: 'Paris' });
  follows[0]?.onEvent({ name: 'done', data: { message: final } }, 2);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(onFinal).toHaveBeenCalledWith(final, 'r');
  expect(registry.snapshot('r').final).toBe(final);
  leave();
  registry.subscribe('r', listener);
  expect(follows).toHaveLength(1);
});

import { expect, test } from 'vitest';

import { message } from '@/test/messages';

import { newestLeafBelow, pathTo } from './message-tree';

/** q1 - a1 - q2 - a2, and beside a1 the later a1b. */
const child = (id: string, parent: string | null) => message(id, { parent_id: parent });
const messages = [
  child('q1', null),
  child('a1', 'q1'),
  child('q2', 'a1'),
  child('a2', 'q2'),
  child('a1b', 'q1'),
];
const ids = (leaf: string | null) => pathTo(messages, leaf).map((step) => step.message.id);

test('shows the branch of the newest message', () => {
  expect(ids(null)).toEqual(['q1', 'a1b']);
});

test('shows the branch of the leaf chosen', () => {
  expect(ids('a2')).toEqual(['q1', 'a1', 'q2', 'a2']);
});

test('a leaf that is gone falls back to the newest', () => {
  expect(ids('deleted')).toEqual(['q1', 'a1b']);
});

test('counts siblings and names the neighbours', () => {
  const step = pathTo(messages, null)[1];
  expect(step).toMatchObject({ index: 2, count: 2, previousId: 'a1', nextId: null });
});

test('going to a sibling leads to the newest message below it', () => {
  expect(newestLeafBelow(messages, 'a1')).toBe('a2');
  expect(newestLeafBelow(messages, 'a1b')).toBe('a1b');
});

test('a path begins where the pages loaded so far begin', () => {
  expect(pathTo(messages.slice(2, 4), null).map((step) => step.message.id)).toEqual(['q2', 'a2']);
});

test('two first questions are siblings', () => {
  const roots = [child('q1', null), child('q1b', null)];
  expect(pathTo(roots, null)[0]).toMatchObject({ index: 2, count: 2, previousId: 'q1' });
});

test('no messages, no path', () => {
  expect(pathTo([], null)).toEqual([]);
});

import { expect, test } from 'vitest';

import type { Run } from '@/api/types';
import { message } from '@/test/messages';

import { appended, awaitedAnswer, flatten, replaced } from './message-cache';

const newest = { items: [message('c'), message('d')], next_cursor: 'x' };
const older = { items: [message('a'), message('b')], next_cursor: null };
const data = { pages: [newest, older], pageParams: [undefined, 'x'] };
const run: Run = {
  id: 'r',
  conversation_id: 'k',
  message_id: 'answer',
  status: 'queued',
  model: 'm',
  error: null,
  created_at: '2026-01-01T00:00:00Z',
  finished_at: null,
};

test('pages that lead backwards become one list in order of time', () => {
  expect(flatten(data.pages).map((item) => item.id)).toEqual(['a', 'b', 'c', 'd']);
});

test('a message that two pages bring is there once', () => {
  const pages = [newest, { ...older, items: [...older.items, message('c')] }];
  expect(flatten(pages)).toHaveLength(4);
});

test('new messages go to the end', () => {
  const pages = appended(data, [message('e')]).pages;
  expect(flatten(pages).map((item) => item.id)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('replacing one message leaves all others the same objects', () => {
  const changed = replaced(data, message('d', { content: 'new' }));
  expect(changed?.pages[0]?.items[1]?.content).toBe('new');
  expect(changed?.pages[0]?.items[0]).toBe(newest.items[0]);
  expect(changed?.pages[1]).toBe(older);
});

test('an accepted question has its answer awaited below it', () => {
  const answer = awaitedAnswer({ message: message('q'), run });
  expect(answer).toMatchObject({ id: 'answer', parent_id: 'q', status: 'queued', run_id: 'r' });
});

test('an answer asked for again is awaited itself', () => {
  const again = message('answer', { role: 'assistant', status: 'queued', parent_id: 'q' });
  expect(awaitedAnswer({ message: again, run })).toMatchObject({ id: 'answer', run_id: 'r' });
});

import { expect, test } from 'vitest';

import { columnsOf } from './windows';

test('overlapping windows are cut where the next begins', () => {
  const columns = columnsOf(
    [
      { start: 2, end: 6, score: 0.9 },
      { start: 0, end: 4, score: 0.1 },
    ],
    8,
  );
  expect(columns.map(({ left, width, score }) => [left, width, score])).toEqual([
    [0, 0.25, 0.1],
    [0.25, 0.5, 0.9],
  ]);
});

test('a silent stretch between windows stays free', () => {
  const columns = columnsOf(
    [
      { start: 0, end: 2, score: 0 },
      { start: 8, end: 10, score: 1 },
    ],
    null,
  );
  expect(columns.map(({ left, width }) => [left, width])).toEqual([
    [0, 0.2],
    [0.8, 0.2],
  ]);
});

test('nothing, and scores a little outside of their range', () => {
  expect(columnsOf([], 3)).toEqual([]);
  expect(columnsOf([{ start: 0, end: 1, score: 1.0001 }], 1)[0]?.score).toBe(1);
});

import { expect, test } from 'vitest';

import type { Conversation } from '@/api/types';

import { groupByDay } from './group-by-day';

const now = new Date(2026, 4, 20, 9, 0);
const at = (...date: [number, number, number, number]): Conversation => {
  const iso = new Date(...date).toISOString();
  return { id: iso, title: '', model: null, created_at: iso, updated_at: iso };
};

test('days are calendar days here, not spans of 24 hours', () => {
  const groups = groupByDay(
    [
      at(2026, 4, 20, 1),
      at(2026, 4, 19, 23),
      at(2026, 4, 19, 1),
      at(2026, 4, 15, 12),
      at(2026, 4, 3, 12),
      at(2026, 3, 30, 12),
      at(2025, 3, 30, 12),
    ],
    now,
  );
  expect(groups.map((group) => [group.bucket, group.items.length])).toEqual([
    ['today', 1],
    ['yesterday', 2],
    ['lastWeek', 1],
    ['month', 1],
    ['month', 1],
    ['month', 1],
  ]);
});

test('a clock that is behind the server does not make a group of its own', () => {
  expect(groupByDay([at(2026, 4, 21, 1)], now)[0]?.bucket).toBe('today');
});

import { expect, test } from 'vitest';

import { formatBytes, formatPercent, formatSeconds, formatTime } from './format';

test('bytes have the unit that suits them', () => {
  expect(formatBytes(0, 'en')).toBe('0 byte');
  expect(formatBytes(75_571_315, 'en')).toBe('76 MB');
  expect(formatBytes(4_683_000_000, 'en')).toBe('4.7 GB');
});

test('times in a recording', () => {
  expect(formatTime(7.9)).toBe('0:07');
  expect(formatTime(3723)).toBe('1:02:03');
  expect(formatTime(61.25, true)).toBe('1:01.2');
  expect(formatTime(-1)).toBe('0:00');
});

test('spans and shares', () => {
  expect(formatSeconds(0.0346, 'en')).toBe('35ms');
  expect(formatSeconds(1.44, 'en')).toBe('1.4s');
  expect(formatPercent(0.123, 'en')).toBe('12%');
});

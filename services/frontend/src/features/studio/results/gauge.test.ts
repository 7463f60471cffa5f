import { expect, test } from 'vitest';

import { arcPath, arcPoint } from './gauge';

const centre = { x: 100, y: 100 };

test('the half circle goes from left over the top to the right', () => {
  expect(arcPoint(0, 80, centre)).toEqual({ x: 20, y: 100 });
  expect(arcPoint(0.5, 80, centre)).toEqual({ x: 100, y: 20 });
  expect(arcPoint(1, 80, centre)).toEqual({ x: 180, y: 100 });
});

test('values outside stay on the ends', () => {
  expect(arcPoint(7, 80, centre)).toEqual(arcPoint(1, 80, centre));
  expect(arcPoint(-7, 80, centre)).toEqual(arcPoint(0, 80, centre));
});

test('the path ends at its value, and there is none at zero', () => {
  expect(arcPath(0.5, 80, centre)).toBe('M20 100A80 80 0 0 1 100 20');
  expect(arcPath(0, 80, centre)).toBe('');
  expect(arcPath(NaN, 80, centre)).toBe('');
});

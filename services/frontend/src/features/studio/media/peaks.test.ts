import { expect, test } from 'vitest';

import { peaksOf, wavePath } from './peaks';

test('each part tells its loudest sample, of whichever channel and sign', () => {
  const left = new Float32Array([0, 0.25, 0, 0.5]);
  const right = new Float32Array([-0.75, 0, 0, 0]);
  expect(peaksOf([left, right], 2)).toEqual([0.75, 0.5]);
});

test('parts of unequal length leave no sample out', () => {
  const samples = new Float32Array(1000).fill(0);
  samples[999] = 1;
  samples[333] = -0.5;
  const peaks = peaksOf([samples], 7);
  expect(peaks).toHaveLength(7);
  expect(peaks[6]).toBe(1);
  expect(Math.max(...peaks.slice(0, 6))).toBe(0.5);
});

test('short, empty and overdriven recordings', () => {
  expect(peaksOf([new Float32Array([0.5])], 100)).toEqual([0.5]);
  expect(peaksOf([], 100)).toEqual([]);
  expect(peaksOf([new Float32Array([3])], 1)).toEqual([1]);
});

test('the path has a bar for each peak, silence included', () => {
  expect(wavePath([0, 1])).toBe('M0.5 49.0V51.0M1.5 2.0V98.0');
});

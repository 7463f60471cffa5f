import { expect, test } from 'vitest';

import { toSrt, toVtt } from './subtitles';

const segments = [
  { start: 0, end: 1.2345, text: ' Good morning. ' },
  { start: 3599.9996, end: 36_000, text: 'Tom & Jerry <b>say</b>\n\n1 --> 2' },
];

test('SubRip numbers its cues and keeps hours', () => {
  expect(toSrt(segments)).toBe(
    '1\n00:00:00,000 --> 00:00:01,235\nGood morning.\n\n' +
      '2\n01:00:00,000 --> 10:00:00,000\nTom & Jerry <b>say</b> 1 --> 2\n',
  );
});

test('WebVTT begins with its name and escapes markup', () => {
  expect(toVtt(segments)).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.235\nGood morning.\n\n' +
      '01:00:00.000 --> 10:00:00.000\nTom &amp; Jerry &lt;b&gt;say&lt;/b&gt; 1 --&gt; 2\n',
  );
});

test('nothing said is a file without cues', () => {
  expect(toSrt([])).toBe('');
  expect(toVtt([])).toBe('WEBVTT\n');
});

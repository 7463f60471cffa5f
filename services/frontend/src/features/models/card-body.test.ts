import { expect, test } from 'vitest';

import { cardBody } from './card-body';

test('the header of a model hub is left out', () => {
  expect(cardBody('---\nlicense: mit\ntags:\n- a\n---\n# Title\n\nText.\n')).toBe(
    '# Title\n\nText.',
  );
  expect(cardBody('---\r\nlicense: mit\r\n---\r\nText')).toBe('Text');
  expect(cardBody('---\n---\nText')).toBe('Text');
});

test('a line across the text is no header', () => {
  expect(cardBody('# Title\n\n---\n\nText')).toBe('# Title\n\n---\n\nText');
  expect(cardBody('--- a dash\nText\n---\n')).toBe('--- a dash\nText\n---');
});

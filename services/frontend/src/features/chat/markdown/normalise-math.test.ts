import { expect, test } from 'vitest';

import { normaliseMath } from './normalise-math';

test.each([
  ['no mathematics at all', 'no mathematics at all'],
  ['inline \\(a+b\\) here', 'inline $a+b$ here'],
  ['a formula $x_1$ stays', 'a formula $x_1$ stays'],
  ['from $5 to $10', 'from \\$5 to \\$10'],
  ['only $5', 'only \\$5'],
  ['already \\$5', 'already \\$5'],
  ['$$x$$', '$$\nx\n$$'],
  ['\\[\nx\n\\]', '$$\nx\n$$'],
  ['in code `$5 \\(a\\)` nothing', 'in code `$5 \\(a\\)` nothing'],
  ['```sh\necho $HOME $5\n```\nthen $5', '```sh\necho $HOME $5\n```\nthen \\$5'],
  ['```sh\nunfinished $5 and $6', '```sh\nunfinished $5 and $6'],
])('%j becomes %j', (text, expected) => {
  expect(normaliseMath(text)).toBe(expected);
});

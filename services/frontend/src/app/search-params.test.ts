import { expect, test } from 'vitest';

import { localPath, optionalText, parseLoginSearch } from './search-params';

test.each(['/chat', '/chat/abc?x=1#y', '/account'])('%s is a path on this site', (path) => {
  expect(localPath(path)).toBe(path);
});

test.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'chat', '', 7, undefined])(
  '%s leads away and is dropped',
  (value) => {
    expect(localPath(value)).toBeUndefined();
  },
);

test('unknown reasons are dropped', () => {
  expect(parseLoginSearch({ reason: 'x', redirect: '//evil.example' })).toEqual({});
  expect(parseLoginSearch({ reason: 'expired', redirect: '/chat' })).toEqual({
    reason: 'expired',
    redirect: '/chat',
  });
});

test('a text parameter is kept, whatever it looks like; anything else is dropped', () => {
  expect(optionalText('card', 'whisper-tiny.en')).toEqual({ card: 'whisper-tiny.en' });
  expect(optionalText('card', 7)).toEqual({ card: '7' });
  for (const value of ['', undefined, null, {}, ['a']]) {
    expect(optionalText('card', value)).toEqual({});
  }
});

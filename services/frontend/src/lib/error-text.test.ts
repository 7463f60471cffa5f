import i18next from 'i18next';
import { expect, test } from 'vitest';

import { ApiError } from '@/api/error';

import { errorText, serverText } from './error-text';

const text = (error: unknown) => errorText(error, i18next.t);

test('a known code is told in the language of the page', async () => {
  const error = new ApiError(409, 'username_taken', 'server text');
  expect(text(error)).toBe('This username is taken. Choose another.');
  await i18next.changeLanguage('zh-CN');
  expect(text(error)).toBe('该用户名已被使用，请换一个。');
});

test('an unknown code shows what the server wrote', () => {
  expect(text(new ApiError(422, 'brand_new', 'Say it differently.'))).toBe('Say it differently.');
});

test('a throttled sign-in says how long to wait', () => {
  const error = new ApiError(429, 'too_many_attempts', '', { retryAfter: 30 });
  expect(text(error)).toContain('30 seconds');
});

test('a fault of the server names the request, a refusal does not', () => {
  const more = { requestId: 'abc123' };
  expect(text(new ApiError(500, 'internal_error', '', more))).toContain('abc123');
  expect(text(new ApiError(404, 'not_found', '', more))).not.toContain('abc123');
});

test('anything else still has a text', () => {
  expect(text(new Error('x is undefined'))).toBe('Something went wrong. Try again in a moment.');
});

test('the server’s own words win where it says more', () => {
  const error = new ApiError(503, 'model_not_installed', 'Run `make models-starter`.');
  expect(serverText(error, i18next.t)).toBe('Run `make models-starter`.');
  const fault = new ApiError(500, 'internal_error', 'A fault.', { requestId: 'abc123' });
  expect(serverText(fault, i18next.t)).toContain('abc123');
  expect(serverText(ApiError.network(null), i18next.t)).toContain('cannot be reached');
});

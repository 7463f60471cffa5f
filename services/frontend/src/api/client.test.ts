import { beforeEach, expect, test, vi } from 'vitest';

import { http, setCsrfToken, unwrap } from './client';
import { ApiError } from './error';

const server = vi.fn<(request: Request) => Response>();

beforeEach(() => {
  server.mockReset();
  setCsrfToken('old');
  vi.stubGlobal('fetch', (input: Request | string) => {
    const request = input instanceof Request ? input : new Request(new URL(input, location.href));
    return Promise.resolve().then(() => server(request));
  });
});

const refusal = (status: number, code: string, headers: HeadersInit = {}) =>
  Response.json(
    { error: { message: 'what to do', type: 't', code, param: null, request_id: 'q1' } },
    { status, headers },
  );
const logout = () => unwrap(http.POST('/api/auth/logout'));

test('unsafe methods carry the token, safe ones do not', async () => {
  server.mockImplementation(() => Response.json({ items: [] }));
  await logout();
  await unwrap(http.GET('/api/models'));
  const tokens = server.mock.calls.map(([request]) => request.headers.get('X-CSRF-Token'));
  expect(tokens).toEqual(['old', null]);
});

test('a token that another tab made stale is fetched, and the request sent once more', async () => {
  server.mockImplementation((request) => {
    if (request.url.endsWith('/api/auth/me')) return Response.json({ csrf_token: 'new' });
    return request.headers.get('X-CSRF-Token') === 'new'
      ? Response.json({ id: 'k' })
      : refusal(403, 'csrf_failed');
  });
  await unwrap(http.POST('/api/conversations', { body: { title: 'Tides' } }));
  const last = server.mock.calls.at(-1)?.[0];
  expect(await last?.json()).toEqual({ title: 'Tides' });
});

test('a token that is refused although it is current is not tried again', async () => {
  server.mockImplementation((request) =>
    request.url.endsWith('/me')
      ? Response.json({ csrf_token: 'old' })
      : refusal(403, 'csrf_failed'),
  );
  await expect(logout()).rejects.toMatchObject({ code: 'csrf_failed' });
  expect(server).toHaveBeenCalledTimes(2);
});

test('a refusal becomes an error with code, request number and the wait asked for', async () => {
  server.mockImplementation(() => refusal(429, 'rate_limited', { 'Retry-After': '12' }));
  await expect(logout()).rejects.toMatchObject({
    status: 429,
    code: 'rate_limited',
    message: 'what to do',
    requestId: 'q1',
    retryAfter: 12,
  });
});

test('a page of HTML from a proxy is an error too', async () => {
  server.mockImplementation(() => new Response('<html>', { status: 502 }));
  await expect(logout()).rejects.toMatchObject({ status: 502, code: 'http_502' });
});

test('no answer at all is a network error', async () => {
  server.mockImplementation(() => {
    throw new TypeError('Failed to fetch');
  });
  const error: unknown = await logout().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 0, code: 'network_error' });
});

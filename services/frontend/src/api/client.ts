/** The one place that talks HTTP: adds the CSRF token and turns refusals into ApiError. */
import createClient from 'openapi-fetch';

import { ApiError } from './error';
import type { paths } from './schema';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

// In memory only: it dies with the page and no script can find it in a store.
let csrfToken = '';

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** What a request that changes something carries to be believed. */
export function csrfHeaders(): Record<string, string> {
  return csrfToken === '' ? {} : { 'X-CSRF-Token': csrfToken };
}

function withToken(request: Request): Request {
  if (safeMethods.has(request.method)) return request;
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(csrfHeaders())) headers.set(name, value);
  return new Request(request, { headers });
}

/** The code of a refusal, for a look before its body is read. */
export async function codeOf(response: Response): Promise<string> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return ApiError.from(response, body).code;
}

/** Another tab may have signed in again; then the token in memory is out of date. */
export async function refreshToken(): Promise<boolean> {
  const response = await fetch('/api/auth/me');
  if (!response.ok) return false;
  const body = (await response.json()) as { csrf_token: string };
  if (body.csrf_token === csrfToken) return false;
  setCsrfToken(body.csrf_token);
  return true;
}

/** Same as `fetch`, with the CSRF token, sent once more if only the token was out of date. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetch(withToken(request));
  if (response.status !== 403 || (await codeOf(response)) !== 'csrf_failed') return response;
  return (await refreshToken()) ? fetch(withToken(again)) : response;
}

export const http = createClient<paths>({ baseUrl: location.origin, fetch: send });

interface Outcome<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The body of a success. Throws ApiError for anything else. */
export async function unwrap<Data>(pending: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>;
  try {
    outcome = await pending;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw ApiError.network(cause);
  }
  if (!outcome.response.ok) throw ApiError.from(outcome.response, outcome.error);
  return outcome.data as Data;
}

/** A POST whose answer is read by the caller. Throws ApiError for a refusal or a lost connection. */
export async function post(
  path: string,
  body: FormData | string,
  { accept, signal }: { accept: string; signal: AbortSignal },
): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  if (typeof body === 'string') headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await send(
      new Request(new URL(path, location.origin), { method: 'POST', headers, body, signal }),
    );
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw ApiError.network(cause);
  }
  if (response.ok) return response;
  throw ApiError.from(response, await response.json().catch(() => null));
}

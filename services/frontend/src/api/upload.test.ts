import { beforeEach, expect, test, vi } from 'vitest';

import { setCsrfToken } from './client';
import { files } from './files';

type Answer = { status: number; body: unknown; headers?: string } | 'breaks off' | 'never';

const file = new File(['frames'], 'harbour.mp4', { type: 'video/mp4' });
const refusal = (code: string) => ({ error: { code, message: 'what to do', type: 't' } });
let answers: Answer[];
let sent: { path: string; headers: Record<string, string>; form: FormData }[];

/** A browser's request, as far as an upload uses it. */
class OneUpload {
  upload: { onprogress?: (event: object) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  statusText = '';
  responseText = '';
  responseType = '';
  #path = '';
  #headers: Record<string, string> = {};
  #answerHeaders = '';

  open(_method: string, path: string) {
    this.#path = path;
  }
  setRequestHeader(name: string, value: string) {
    this.#headers[name] = value;
  }
  getAllResponseHeaders() {
    return this.#answerHeaders;
  }
  abort() {
    this.onabort?.();
    this.onloadend?.();
  }
  send(form: FormData) {
    sent.push({ path: this.#path, headers: this.#headers, form });
    this.upload.onprogress?.({ lengthComputable: false, loaded: 1, total: 0 });
    this.upload.onprogress?.({ lengthComputable: true, loaded: 25, total: 100 });
    const answer = answers.shift();
    if (answer === 'never' || answer === undefined) return;
    queueMicrotask(() => {
      if (answer === 'breaks off') {
        this.onerror?.();
      } else {
        this.status = answer.status;
        this.responseText = JSON.stringify(answer.body);
        this.#answerHeaders = answer.headers ?? '';
        this.onload?.();
      }
      this.onloadend?.();
    });
  }
}

beforeEach(() => {
  answers = [];
  sent = [];
  setCsrfToken('old');
  vi.stubGlobal('XMLHttpRequest', OneUpload);
});

const go = (signal = new AbortController().signal, onSent?: (fraction: number) => void) =>
  files.upload(file, signal, onSent);

test('a file is sent with the token, and how much of it has left is told', async () => {
  answers = [{ status: 201, body: { id: 'f' } }];
  const fractions: number[] = [];
  expect(await go(undefined, (fraction) => fractions.push(fraction))).toEqual({ id: 'f' });
  expect(fractions).toEqual([0.25]);
  expect(sent[0]).toMatchObject({ path: '/api/files', headers: { 'X-CSRF-Token': 'old' } });
  expect(sent[0]?.form.get('file')).toHaveProperty('name', 'harbour.mp4');
});

test('a token that another tab made stale is fetched, and the file sent once more', async () => {
  answers = [
    { status: 403, body: refusal('csrf_failed') },
    { status: 201, body: { id: 'f' } },
  ];
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(Response.json({ csrf_token: 'new' }));
  expect(await go()).toEqual({ id: 'f' });
  expect(sent[1]?.headers['X-CSRF-Token']).toBe('new');
});

test('a refusal keeps its code, its words and the wait asked for', async () => {
  answers = [{ status: 429, body: refusal('rate_limited'), headers: 'retry-after: 12\r\n' }];
  await expect(go()).rejects.toMatchObject({
    status: 429,
    code: 'rate_limited',
    message: 'what to do',
    retryAfter: 12,
  });
});

test('a connection that breaks off is told as such', async () => {
  answers = ['breaks off'];
  await expect(go()).rejects.toMatchObject({ code: 'network_error' });
});

test('cancelling ends the upload', async () => {
  answers = ['never'];
  const controller = new AbortController();
  const pending = go(controller.signal);
  controller.abort();
  await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
});

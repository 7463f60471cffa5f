import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, test, vi } from 'vitest';

import { files } from '@/api/files';
import type { TaskRequest } from '@/api/tasks';
import type { StoredFile } from '@/api/types';
import { streamed } from '@/test/event-stream';

import { useTaskRun } from './use-task-run';

const speech: TaskRequest = {
  task: 'speech_recognition',
  input: new File(['RIFF'], 'talk.wav', { type: 'audio/wav' }),
  parameters: { language: 'en' },
};
const answer = {
  task: 'speech_recognition',
  model: 'whisper',
  result: { text: 'Hello.', language: 'en', duration: 1, segments: [] },
  timings: { queue: 0, preprocess: 0, forward: 0.1, postprocess: 0, total: 0.1 },
};
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const refusal = (code: string, message: string) => ({ error: { code, message, type: 'x' } });
const json = (status: number, body: unknown, headers = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });

/** A run against these answers, one after the other. */
function start(answers: ((request: Request) => Response | Promise<Response>)[]) {
  const asked: Request[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation((input) => {
    const request = input as Request;
    asked.push(request);
    const next = answers.shift();
    return next === undefined
      ? Promise.reject(new Error('one request too many'))
      : Promise.resolve(next(request));
  });
  const client = new QueryClient();
  const { result } = renderHook(() => useTaskRun(), {
    wrapper: ({ children }: { children: ReactNode }) => (
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    ),
  });
  const begin = (background = false) =>
    act(() => result.current.start({ request: speech, background }));
  return { result, asked, begin };
}

test('progress, then the answer with what it was asked for', async () => {
  const { result, asked, begin } = start([
    () =>
      streamed([
        event('progress', { fraction: 0.5, stage: 'transcribing' }),
        event('done', answer),
      ]),
  ]);
  begin();
  await waitFor(() => expect(result.current.ended).not.toBeNull());
  expect(result.current.ended).toEqual({ kind: 'answer', answer, request: speech });
  expect(asked[0]?.headers.get('Accept')).toBe('text/event-stream');
});

test('a model that is still loading is asked again', async () => {
  const loading = () => json(503, refusal('model_loading', 'Loading.'), { 'Retry-After': '0.01' });
  const { result, asked, begin } = start([
    loading,
    loading,
    () => streamed([event('done', answer)]),
  ]);
  begin();
  await waitFor(() => expect(result.current.ended?.kind).toBe('answer'));
  expect(asked).toHaveLength(3);
});

test('what is too long for a waiting client becomes a job', async () => {
  const job = { id: 'j', task: 'speech_recognition', status: 'queued' };
  const { result, asked, begin } = start([
    () => streamed([event('error', refusal('use_a_job', 'Send it as a job.'))]),
    () => json(202, { job }),
  ]);
  const stored = { id: 'f' } as StoredFile;
  const uploaded = vi.spyOn(files, 'upload').mockResolvedValue(stored);
  begin();
  await waitFor(() => expect(result.current.ended).toEqual({ kind: 'job', job, wished: false }));
  expect(asked.map(({ url }) => new URL(url).pathname)).toEqual([
    '/inference/speech_recognition',
    '/api/jobs',
  ]);
  expect(uploaded.mock.calls[0]?.[0]).toBe(speech.input);
  expect(await asked[1]?.clone().json()).toEqual({
    task: 'speech_recognition',
    input: { file_id: 'f' },
    parameters: { language: 'en' },
  });
});

test('a refusal inside the stream keeps the server’s words', async () => {
  const { result, begin } = start([
    () => streamed([event('error', refusal('no_face', 'There is no face in it.'))]),
  ]);
  begin();
  await waitFor(() => expect(result.current.error?.message).toBe('There is no face in it.'));
});

test('a connection that breaks off is no answer', async () => {
  const { result, begin } = start([
    () => streamed([event('progress', { fraction: 0.1, stage: null })], { breaks: true }),
  ]);
  begin();
  await waitFor(() => expect(result.current.error).toMatchObject({ code: 'network_error' }));
});

test('cancelling ends the request and leaves no error', async () => {
  let aborted = false;
  const { result, begin } = start([
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new DOMException('Aborted', 'AbortError'));
        });
      }),
  ]);
  begin();
  await waitFor(() => expect(result.current.running).toBe(true));
  act(() => result.current.cancel());
  await waitFor(() => expect(result.current.running).toBe(false));
  expect(aborted).toBe(true);
  expect(result.current.error).toBeNull();
});

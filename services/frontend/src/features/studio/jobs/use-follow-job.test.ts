import { expect, test } from 'vitest';

import { parseJobEvent } from '@/api/jobs';
import type { Job } from '@/api/types';

import { withEvent } from './use-follow-job';

const job: Job = {
  id: 'j',
  task: 'video_enhancement',
  input: { file_id: 'f', name: 'a.mp4' },
  parameters: {},
  status: 'queued',
  position: 2,
  progress: { fraction: 0, stage: null },
  model: null,
  result: null,
  error: null,
  created_at: '2026-01-01T00:00:00Z',
  started_at: null,
  finished_at: null,
};

const told = (name: string, data: unknown) => {
  const event = parseJobEvent(name, JSON.stringify(data));
  if (event === null) throw new Error('not understood');
  return withEvent(job, event);
};

test('a job moves up, is worked on, and ends as the server tells it', () => {
  expect(told('queued', { position: 1 })).toMatchObject({ status: 'queued', position: 1 });
  expect(told('progress', { fraction: 0.5, stage: 'enhancing' })).toMatchObject({
    status: 'running',
    position: null,
    progress: { fraction: 0.5, stage: 'enhancing' },
  });
  const finished = { ...job, status: 'complete' };
  expect(told('done', { job: finished })).toEqual(finished);
  expect(told('error', { job: { ...job, status: 'failed' }, error: {} }).status).toBe('failed');
});

test('an event of a newer server is passed over', () => {
  expect(parseJobEvent('confetti', '{}')).toBeNull();
});

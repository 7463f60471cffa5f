import { expect, test } from 'vitest';

import type { Job, TaskAnswer } from '@/api/types';

import { outcomeOf, outcomeOfJob } from './outcome';

const timings = { queue: 0, preprocess: 0, forward: 0, postprocess: 0, total: 0 };

test('a file in the answer becomes one', async () => {
  const answer: TaskAnswer = {
    task: 'audio_denoising',
    model: 'm',
    timings,
    result: { audio: btoa('RIFF'), sample_rate: 8000, model_sample_rate: 8000, duration: 1 },
  };
  const input = new File(['x'], 'a.wav');
  const outcome = outcomeOf(answer, { task: 'audio_denoising', input, parameters: {} });
  expect(outcome.file?.type).toBe('audio/wav');
  expect(await outcome.file?.text()).toBe('RIFF');
  expect(outcome.source).toEqual({ name: 'a.wav', file: input, text: null });
});

const job = {
  id: 'j',
  task: 'text_summarization',
  input: { file_id: 'f', name: 'a.txt' },
  model: 'm',
  result: { file_id: 'r', name: 'a.summary.json', media_type: 'application/json', size: 1 },
} as Job;

test('a job in JSON is shown like an answer, beside its text', async () => {
  const result = { summary: 'Short.', input_tokens: 9, summary_tokens: 2, chunks: 1 };
  const output = new Blob([JSON.stringify({ task: job.task, model: 'm', result, timings })]);
  const outcome = await outcomeOfJob(job, new Blob(['Long.']), output);
  expect(outcome).toMatchObject({ task: 'text_summarization', model: 'm', timings, result });
  expect(outcome.source.text).toBe('Long.');
});

test('a job that made a file shows it, even when its input is gone', async () => {
  const made = {
    ...job,
    task: 'video_enhancement',
    result: { file_id: 'r', name: 'a.mp4', media_type: 'video/mp4', size: 1 },
  } as Job;
  const output = new Blob(['ftyp'], { type: 'video/mp4' });
  const outcome = await outcomeOfJob(made, null, output);
  expect(outcome).toMatchObject({ task: 'video_enhancement', model: 'm', timings: null });
  expect(outcome.file).toBe(output);
  expect(outcome.source.file).toBeNull();
});

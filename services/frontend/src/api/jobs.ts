import { http, unwrap } from './client';
import type { Parameters } from './tasks';
import type { Job, TaskName } from './types';

export const jobs = {
  list: (query: { limit: number; cursor?: string }, signal: AbortSignal) =>
    unwrap(http.GET('/api/jobs', { params: { query }, signal })),
  get: (id: string, signal: AbortSignal) =>
    unwrap(http.GET('/api/jobs/{job_id}', { params: { path: { job_id: id } }, signal })),
  create: async (task: TaskName, fileId: string, parameters: Parameters) =>
    (
      await unwrap(
        http.POST('/api/jobs', { body: { task, input: { file_id: fileId }, parameters } }),
      )
    ).job,
  cancel: (id: string) =>
    unwrap(http.POST('/api/jobs/{job_id}/cancel', { params: { path: { job_id: id } } })),
};

/** Where the events of a job are read. */
export const jobEventsUrl = (id: string) => `/api/jobs/${encodeURIComponent(id)}/events`;

interface EventData {
  queued: { position: number };
  progress: { fraction: number; stage: string | null };
  done: { job: Job };
  error: { job: Job };
}

export type JobEvent = {
  [Name in keyof EventData]: { name: Name; data: EventData[Name] };
}[keyof EventData];

const names = new Set<string>([
  'queued',
  'progress',
  'done',
  'error',
] satisfies (keyof EventData)[]);

/** Null for an event this version does not know. */
export function parseJobEvent(name: string, data: string): JobEvent | null {
  if (!names.has(name)) return null;
  return { name, data: JSON.parse(data) as unknown } as JobEvent;
}

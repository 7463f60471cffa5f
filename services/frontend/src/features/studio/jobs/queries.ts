import { queryOptions, type QueryClient } from '@tanstack/react-query';

import { files } from '@/api/files';
import { jobs } from '@/api/jobs';
import type { Job, JobPage } from '@/api/types';

export const jobsQuery = queryOptions({
  queryKey: ['jobs'],
  queryFn: ({ signal }) => jobs.list(signal),
});

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => jobs.get(id, signal),
  });

/** A stored file's bytes, for showing them. */
export const contentQuery = (id: string) =>
  queryOptions({
    queryKey: ['file-content', id],
    queryFn: ({ signal }) => files.content(id, signal),
    staleTime: Infinity,
    gcTime: 60_000,
  });

export function isUnfinished(job: Job): boolean {
  return job.status === 'queued' || job.status === 'running';
}

/** Puts what is known now of a job into the list: in its place, or first when it is new. */
export function rememberJob(queryClient: QueryClient, job: Job): void {
  queryClient.setQueryData(jobQuery(job.id).queryKey, job);
  queryClient.setQueryData<JobPage>(jobsQuery.queryKey, (page) => {
    if (page === undefined) return page;
    const known = page.items.some(({ id }) => id === job.id);
    const items = known
      ? page.items.map((other) => (other.id === job.id ? job : other))
      : [job, ...page.items];
    return { ...page, items };
  });
}

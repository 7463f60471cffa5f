import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/react-query';

import { files } from '@/api/files';
import { jobs } from '@/api/jobs';
import type { Job } from '@/api/types';

export const jobsQuery = infiniteQueryOptions({
  queryKey: ['jobs'],
  queryFn: ({ pageParam, signal }) =>
    jobs.list({ limit: 30, ...(pageParam && { cursor: pageParam }) }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
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
  queryClient.setQueryData(jobsQuery.queryKey, (list) => {
    if (list === undefined) return list;
    const known = list.pages.some(({ items }) => items.some(({ id }) => id === job.id));
    const pages = list.pages.map((page, index) => {
      const items = page.items.map((other) => (other.id === job.id ? job : other));
      return { ...page, items: known || index > 0 ? items : [job, ...items] };
    });
    return { ...list, pages };
  });
}

import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { followEvents } from '@/api/event-stream';
import { jobEventsUrl, parseJobEvent, type JobEvent } from '@/api/jobs';
import type { Job } from '@/api/types';

import { isUnfinished, jobQuery, jobsQuery, rememberJob } from './queries';

/** `job` after `event`. */
export function withEvent(job: Job, event: JobEvent): Job {
  switch (event.name) {
    case 'queued':
      return { ...job, status: 'queued', position: event.data.position };
    case 'progress':
      return { ...job, status: 'running', position: null, progress: event.data };
    case 'done':
    case 'error':
      return event.data.job;
  }
}

/** Keeps an unfinished job in the query cache as it stands on the server. */
export function useFollowJob(job: Job): void {
  const queryClient = useQueryClient();
  const unfinished = isUnfinished(job);
  useEffect(() => {
    if (!unfinished) return;
    const connection = new AbortController();
    followEvents({
      url: jobEventsUrl(job.id),
      signal: connection.signal,
      parse: parseJobEvent,
      isFinal: ({ name }) => name === 'done' || name === 'error',
      onEvent: (event) => {
        const known = queryClient.getQueryData(jobQuery(job.id).queryKey) ?? job;
        rememberJob(queryClient, withEvent(known, event));
      },
    }).catch(() => queryClient.invalidateQueries(jobsQuery));
    return () => connection.abort();
    // Only which job it is: its progress is what this effect brings about.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [queryClient, job.id, unfinished]);
}

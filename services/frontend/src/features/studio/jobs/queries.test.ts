import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';

import type { Job } from '@/api/types';

import { jobsQuery, rememberJob } from './queries';

const job = (id: string, status: Job['status'] = 'complete') => ({ id, status }) as Job;

function listed(client: QueryClient): string[][] | undefined {
  return client
    .getQueryData(jobsQuery.queryKey)
    ?.pages.map(({ items }) => items.map(({ id, status }) => `${id} ${status}`));
}

test('a new job comes first, and one that is known is replaced where it is', () => {
  const client = new QueryClient();
  client.setQueryData(jobsQuery.queryKey, {
    pages: [
      { items: [job('d'), job('c')], next_cursor: 'c' },
      { items: [job('b'), job('a', 'running')], next_cursor: null },
    ],
    pageParams: [undefined, 'c'],
  });
  rememberJob(client, job('e', 'queued'));
  rememberJob(client, job('a', 'failed'));
  expect(listed(client)).toEqual([
    ['e queued', 'd complete', 'c complete'],
    ['b complete', 'a failed'],
  ]);
});

test('a list that was never read is not made up', () => {
  const client = new QueryClient();
  rememberJob(client, job('a'));
  expect(listed(client)).toBeUndefined();
});

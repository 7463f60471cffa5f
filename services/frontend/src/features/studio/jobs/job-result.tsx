import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { outcomeOfJob } from '../results/outcome';
import { ResultCard } from '../results/result-card';
import { contentQuery, jobQuery } from './queries';

/** The result of a finished job, beside what it was made from. */
export function JobResult({ id }: { id: string }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const job = useQuery(jobQuery(id));
  const done = job.data?.result != null ? job.data : null;
  const outcome = useQuery({
    queryKey: ['job-outcome', id],
    enabled: done !== null,
    staleTime: Infinity,
    gcTime: 60_000,
    queryFn: async () => {
      if (done?.result == null) throw new Error('The job has no result.');
      const [input, output] = await Promise.all([
        // The file that went in may have been deleted; the result is worth seeing without it.
        queryClient.query(contentQuery(done.input.file_id)).catch(() => null),
        queryClient.query(contentQuery(done.result.file_id)),
      ]);
      return outcomeOfJob(done, input, output);
    },
  });
  const error = job.error ?? outcome.error;
  if (error !== null) return <Alert>{errorText(error, t)}</Alert>;
  if (job.data !== undefined && done === null) return null;
  if (outcome.data === undefined) return <Spinner className="mx-auto" />;
  return <ResultCard outcome={outcome.data} />;
}

import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskName } from '@/api/types';
import { Section } from '@/components/section';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { errorText } from '@/lib/error-text';

import { JobRow } from './job-row';
import { isUnfinished, jobsQuery } from './queries';

interface JobListProps {
  /** Only jobs of this task; absent shows all. */
  task?: TaskName;
}

/** So many finished ones are shown at first. */
const few = 5;

/** The user's jobs, the newest first; nothing while there are none. */
export function JobList({ task }: JobListProps) {
  const { t } = useTranslation();
  const jobs = useInfiniteQuery(jobsQuery);
  const [all, setAll] = useState(false);
  const known =
    jobs.data?.pages
      .flatMap((page) => page.items)
      .filter((job) => task === undefined || job.task === task) ?? [];
  if (jobs.isError) return <Alert>{errorText(jobs.error, t)}</Alert>;
  if (known.length === 0 && !jobs.hasNextPage) return null;
  const shown = all ? known : known.filter((job, index) => index < few || isUnfinished(job));
  return (
    <Section title={t('studio.jobs.title')} text={t('studio.jobs.text')}>
      <ul className="-my-4 divide-y divide-border">
        {shown.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
      {shown.length < known.length && (
        <Button
          variant="outline"
          size="small"
          className="mt-2 justify-self-start"
          onClick={() => setAll(true)}
        >
          {t('studio.jobs.all', { count: known.length })}
        </Button>
      )}
      {shown.length === known.length && jobs.hasNextPage && (
        <Button
          variant="outline"
          size="small"
          className="mt-2 justify-self-start"
          aria-disabled={jobs.isFetchingNextPage}
          onClick={() => {
            setAll(true);
            if (!jobs.isFetchingNextPage) void jobs.fetchNextPage();
          }}
        >
          {t('studio.jobs.older')}
        </Button>
      )}
    </Section>
  );
}

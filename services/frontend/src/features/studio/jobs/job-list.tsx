import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import type { TaskName } from '@/api/types';
import { Section } from '@/components/section';
import { Alert } from '@/components/ui/alert';
import { errorText } from '@/lib/error-text';

import { JobRow } from './job-row';
import { jobsQuery } from './queries';

interface JobListProps {
  /** Only jobs of this task; absent shows all. */
  task?: TaskName;
}

/** The user's jobs, the newest first; nothing while there are none. */
export function JobList({ task }: JobListProps) {
  const { t } = useTranslation();
  const jobs = useQuery(jobsQuery);
  const shown = jobs.data?.items.filter((job) => task === undefined || job.task === task) ?? [];
  if (jobs.isError) return <Alert>{errorText(jobs.error, t)}</Alert>;
  if (shown.length === 0) return null;
  return (
    <Section title={t('studio.jobs.title')} text={t('studio.jobs.text')}>
      <ul className="-my-4 divide-y divide-border">
        {shown.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
    </Section>
  );
}

import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskName } from '@/api/types';
import { PageBody } from '@/components/page-body';
import { PageHeader } from '@/components/page-header';
import { Alert } from '@/components/ui/alert';
import { slotsQuery } from '@/features/models/queries';
import { errorText } from '@/lib/error-text';
import { useTitle } from '@/lib/use-title';

import { JobList } from './jobs/job-list';
import { JobResult } from './jobs/job-result';
import { RequestSamples } from './requests/request-samples';
import { outcomeOf } from './results/outcome';
import { ResultCard } from './results/result-card';
import { SlotNotice } from './run/slot-notice';
import { SlotState } from './run/slot-state';
import { useTaskRun } from './run/use-task-run';
import { TaskForm } from './task-form';
import { tasks } from './tasks';

interface TaskPageProps {
  task: TaskName;
  /** The job whose result is looked at; absent shows what was asked for here. */
  job: string | undefined;
}

/** One task: an input, its result, the jobs that work on longer ones. */
export function TaskPage({ task, job }: TaskPageProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const run = useTaskRun();
  const slots = useQuery({
    ...slotsQuery,
    // A request may be waiting for a model that is being loaded for it.
    ...(run.running && run.stage.kind !== 'working' && { refetchInterval: 1500 }),
  });
  const slot = slots.data?.slots.find((candidate) => candidate.slot === task);
  const empty = slot?.models.every((model) => model.state === 'failed') === true;
  const title = t(`studio.tasks.${task}.title`);
  useTitle(title);

  const { ended } = run;
  const outcome = useMemo(
    () => (ended?.kind === 'answer' ? outcomeOf(ended.answer, ended.request) : null),
    [ended],
  );
  const result = useRef<HTMLDivElement>(null);
  const shown = outcome !== null || job !== undefined;
  useEffect(() => {
    // Where the page is longer than the window the result would come unseen.
    if (shown) result.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, [outcome, job, shown]);
  // What is asked for now takes the place of an older job's result.
  useEffect(() => {
    if (outcome !== null) {
      void navigate({ to: '/studio/$task', params: { task }, search: {}, replace: true });
    }
  }, [outcome, navigate, task]);

  return (
    <PageBody>
      <PageHeader
        title={title}
        text={t(`studio.tasks.${task}.text`)}
        aside={<SlotState slot={slot} />}
      />
      <p className="sr-only" role="status">
        {outcome !== null && t('studio.result.here')}
      </p>
      {slots.isError && <Alert>{errorText(slots.error, t)}</Alert>}
      {slot !== undefined && <SlotNotice slot={slot} />}
      {empty ? (
        <>
          {job !== undefined && <JobResult id={job} />}
          <JobList task={task} />
          <RequestSamples
            task={task}
            input={tasks[task].input === 'text' ? { text: '' } : { file: '' }}
            media={tasks[task].input === 'audio' ? 'audio' : 'image'}
            parameters={{}}
          />
        </>
      ) : (
        <TaskForm task={task} slot={slot} run={run}>
          {ended?.kind === 'job' && job === undefined && (
            <Alert tone="notice">
              {t(ended.wished ? 'studio.jobs.begun' : 'studio.jobs.tooLong', {
                name: ended.job.input.name,
              })}
            </Alert>
          )}
          {shown && (
            <div ref={result} className="scroll-m-6">
              {job !== undefined ? (
                <JobResult id={job} />
              ) : (
                outcome !== null && <ResultCard outcome={outcome} />
              )}
            </div>
          )}
          <JobList task={task} />
        </TaskForm>
      )}
    </PageBody>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { PageBody } from '@/components/page-body';
import { PageHeader } from '@/components/page-header';
import { Alert } from '@/components/ui/alert';
import { slotsQuery } from '@/features/models/queries';
import { JobList } from '@/features/studio/jobs/job-list';
import { SlotState } from '@/features/studio/run/slot-state';
import { taskNames, tasks } from '@/features/studio/tasks';
import { errorText } from '@/lib/error-text';
import { useTitle } from '@/lib/use-title';

/** Every task at a glance, and the jobs of all of them. */
export function StudioPage() {
  const { t } = useTranslation();
  useTitle(t('studio.title'));
  const slots = useQuery(slotsQuery);
  return (
    <PageBody>
      <PageHeader title={t('studio.title')} text={t('studio.text')} />
      {slots.isError && <Alert>{errorText(slots.error, t)}</Alert>}
      <ul className="grid gap-4 sm:grid-cols-2">
        {taskNames.map((task) => {
          const Icon = tasks[task].icon;
          return (
            <li key={task} className="grid">
              <Link
                to="/studio/$task"
                params={{ task }}
                className="grid grid-cols-[auto_1fr] content-start gap-x-4 gap-y-1 rounded-2xl border border-border bg-surface p-5 transition-colors hover:border-control hover:bg-hover"
              >
                <span className="row-span-3 grid size-10 place-items-center rounded-xl bg-bubble text-primary">
                  <Icon className="size-5" aria-hidden />
                </span>
                <span className="font-semibold">{t(`studio.tasks.${task}.title`)}</span>
                <span className="text-sm text-muted">{t(`studio.tasks.${task}.text`)}</span>
                <span className="mt-1 min-w-0">
                  <SlotState slot={slots.data?.slots.find(({ slot }) => slot === task)} />
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
      <JobList />
    </PageBody>
  );
}

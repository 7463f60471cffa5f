import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { contentUrl } from '@/api/files';
import { jobs } from '@/api/jobs';
import type { Job } from '@/api/types';
import { Button } from '@/components/ui/button';
import { Progress } from '@/components/ui/progress';
import { errorText } from '@/lib/error-text';
import { formatDateTime, formatPercent } from '@/lib/format';
import { toasts } from '@/lib/toasts';

import { stageText } from '../run/stage-text';
import { isUnfinished, rememberJob } from './queries';
import { useFollowJob } from './use-follow-job';

/** One job: how far it is, how to end it, what came out. */
export function JobRow({ job }: { job: Job }) {
  const { t, i18n } = useTranslation();
  const queryClient = useQueryClient();
  useFollowJob(job);
  const cancel = useMutation({
    mutationFn: () => jobs.cancel(job.id),
    onSuccess: (ended) => rememberJob(queryClient, ended),
    onError: (error) => toasts.show(errorText(error, t), 'danger'),
  });
  const unfinished = isUnfinished(job);
  return (
    <li className="grid gap-2.5 py-4" data-testid="job" data-status={job.status}>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="font-medium break-words">{job.input.name}</p>
          <p className="text-sm text-muted" role="status">
            {t(`studio.tasks.${job.task}.title`)} · {stateOf()}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {unfinished && (
            <Button
              variant="outline"
              size="small"
              aria-label={t('studio.jobs.cancel', { name: job.input.name })}
              aria-disabled={cancel.isPending}
              onClick={() => cancel.mutate()}
            >
              {t('app.cancel')}
            </Button>
          )}
          {job.result !== null && (
            <>
              <Button asChild variant="outline" size="small">
                <Link
                  to="/studio/$task"
                  params={{ task: job.task }}
                  search={{ job: job.id }}
                  aria-label={t('studio.jobs.showNamed', { name: job.input.name })}
                >
                  {t('studio.jobs.show')}
                </Link>
              </Button>
              <Button asChild variant="outline" size="small">
                <a
                  href={contentUrl(job.result.file_id)}
                  download={job.result.name}
                  aria-label={t('studio.jobs.download', { name: job.result.name })}
                >
                  <Download className="size-4" aria-hidden />
                </a>
              </Button>
            </>
          )}
        </div>
      </div>
      {job.status === 'running' && (
        <Progress
          value={job.progress.fraction}
          label={t('studio.jobs.progress', { name: job.input.name })}
        />
      )}
      {job.error !== null && <p className="text-sm text-danger">{job.error.message}</p>}
    </li>
  );

  function stateOf(): string {
    if (job.status === 'queued') {
      return job.position == null
        ? t('studio.jobs.queued')
        : t('studio.jobs.queuedAt', { position: job.position });
    }
    if (job.status === 'running') {
      const { fraction, stage } = job.progress;
      return `${stageText(stage, t)} ${formatPercent(fraction, i18n.language)}`;
    }
    const ended = formatDateTime(job.finished_at ?? job.created_at, i18n.language);
    return `${t(`studio.jobs.state.${job.status}`)} · ${ended}`;
  }
}

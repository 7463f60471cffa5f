import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';

import { hasCode } from '@/api/error';
import { files } from '@/api/files';
import { jobs } from '@/api/jobs';
import { runTask, type Progress, type TaskRequest } from '@/api/tasks';
import type { Job, TaskAnswer } from '@/api/types';
import { slotsQuery } from '@/features/models/queries';
import { pause } from '@/lib/backoff';

import { jobsQuery, rememberJob } from '../jobs/queries';

/** Seconds before a loading model is asked again, when the server does not say. */
const loadingPause = 4;

/** What a request is at: on its way, at work, or waiting for a model that is being loaded. */
export type Stage =
  | { kind: 'sending'; fraction: number | null }
  | { kind: 'working'; progress: Progress }
  | { kind: 'loading' };

const sending: Stage = { kind: 'sending', fraction: null };

/** An answer with what it was asked for, or the job that the request became. */
export type Ended =
  | { kind: 'answer'; answer: TaskAnswer; request: TaskRequest }
  | { kind: 'job'; job: Job; wished: boolean };

export interface Start {
  request: TaskRequest;
  /** Whether to work in the background, as a job. */
  background: boolean;
}

async function asJob(
  { task, input, parameters }: TaskRequest,
  signal: AbortSignal,
  onSent: (fraction: number) => void,
): Promise<Job> {
  const file =
    typeof input === 'string' ? new File([input], 'text.txt', { type: 'text/plain' }) : input;
  const stored = await files.upload(file, signal, onSent);
  return jobs.create(task, stored.id, parameters);
}

/**
 * One request at a time: its stage, its end, cancelling it. While the model is loading it asks
 * again; what is too long for a waiting client becomes a job by itself.
 */
export function useTaskRun() {
  const queryClient = useQueryClient();
  const controller = useRef<AbortController | null>(null);
  const [stage, setStage] = useState<Stage>(sending);

  const ask = async ({ request, background }: Start, signal: AbortSignal): Promise<Ended> => {
    const onSent = (fraction: number) => setStage({ kind: 'sending', fraction });
    if (background) return { kind: 'job', job: await asJob(request, signal, onSent), wished: true };
    for (;;) {
      try {
        const onProgress = (progress: Progress) => setStage({ kind: 'working', progress });
        const answer = await runTask(request, { signal, onProgress });
        return { kind: 'answer', answer, request };
      } catch (error) {
        if (hasCode(error, 'use_a_job')) {
          setStage(sending);
          return { kind: 'job', job: await asJob(request, signal, onSent), wished: false };
        }
        if (!hasCode(error, 'model_loading')) throw error;
        setStage({ kind: 'loading' });
        await pause((error.retryAfter ?? loadingPause) * 1000, signal);
        signal.throwIfAborted();
      }
    }
  };

  const run = useMutation({
    mutationFn: (start: Start) => {
      controller.current?.abort();
      controller.current = new AbortController();
      setStage(sending);
      return ask(start, controller.current.signal);
    },
    onSuccess: (ended) => {
      if (ended.kind !== 'job') return;
      rememberJob(queryClient, ended.job);
      void queryClient.invalidateQueries(jobsQuery);
    },
    // A first request loads the model, and a refusal may say that there is none any more.
    onSettled: () => void queryClient.invalidateQueries(slotsQuery),
  });

  const stop = useCallback(() => controller.current?.abort(), []);
  useEffect(() => stop, [stop]);
  const { reset } = run;
  const cancel = useCallback(() => {
    stop();
    reset();
  }, [stop, reset]);

  return {
    start: run.mutate,
    cancel,
    running: run.isPending,
    stage,
    ended: run.data ?? null,
    error: run.error,
  };
}

export type TaskRun = ReturnType<typeof useTaskRun>;

import type { ReactNode } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Parameters, TaskRequest } from '@/api/tasks';
import type { Slot, TaskName } from '@/api/types';
import { Button } from '@/components/ui/button';

import { FileInput } from './input/file-input';
import { TextInput } from './input/text-input';
import { RequestSamples } from './requests/request-samples';
import { ParameterFields } from './run/parameter-fields';
import { RunError } from './run/run-error';
import { RunProgress } from './run/run-progress';
import type { TaskRun } from './run/use-task-run';
import { tasks } from './tasks';

interface TaskFormProps {
  task: TaskName;
  slot: Slot | undefined;
  run: TaskRun;
  /** The result, between the request and its samples. */
  children: ReactNode;
}

/** Input, parameters, the button, how far it is, and the same request for programs. */
export function TaskForm({ task, slot, run, children }: TaskFormProps) {
  const { t } = useTranslation();
  const { input: kind } = tasks[task];
  const [file, setFile] = useState<File | null>(null);
  const [text, setText] = useState('');
  const [parameters, setParameters] = useState<Parameters>({});
  const input = kind === 'text' ? text.trim() : file;
  const start = (background: boolean) => {
    if (input === null || input === '') return;
    const request: TaskRequest = { task, input, parameters };
    run.start({ request, background });
  };
  const media = kind === 'audio' ? 'audio' : file?.type.startsWith('video/') ? 'video' : 'image';
  return (
    <>
      {kind === 'text' ? (
        <TextInput task={task} text={text} onText={setText} />
      ) : (
        <FileInput task={task} file={file} onFile={setFile} />
      )}
      <ParameterFields task={task} slot={slot} parameters={parameters} onChange={setParameters} />
      {run.running ? (
        <RunProgress
          stage={run.stage}
          modelLoads={slot?.models.some((model) => model.state === 'loading') === true}
          onCancel={run.cancel}
        />
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button disabled={input === null || input === ''} onClick={() => start(false)}>
            {t(`studio.tasks.${task}.action`)}
          </Button>
          {file !== null && (
            <Button variant="quiet" onClick={() => start(true)}>
              {t('studio.background')}
            </Button>
          )}
        </div>
      )}
      <RunError error={run.error} />
      {children}
      <RequestSamples
        task={task}
        input={kind === 'text' ? { text: text.trim() } : { file: file?.name ?? '' }}
        media={media}
        parameters={parameters}
      />
    </>
  );
}

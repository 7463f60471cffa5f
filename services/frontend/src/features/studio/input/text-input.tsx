import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskName } from '@/api/types';

import { accepted, tasks } from '../tasks';
import { ChooseFile } from './choose-file';
import { DropArea } from './drop-area';
import { Examples } from './examples';

interface TextInputProps {
  task: TaskName;
  text: string;
  onText: (text: string) => void;
}

/** Longest file that is read into the field, in bytes. */
const mostBytes = 2 * 1024 * 1024;

/** A text that is typed, pasted, or comes out of a file. */
export function TextInput({ task, text, onText }: TextInputProps) {
  const { t } = useTranslation();
  const [refused, setRefused] = useState<string | null>(null);
  const read = (file: File) => {
    setRefused(null);
    if (file.size > mostBytes) {
      setRefused(t('studio.input.textTooLong'));
      return;
    }
    file.text().then(
      (content) => {
        // A text has no NUL; a picture or a document of a word processor has.
        if (content.includes('\0')) setRefused(t('studio.input.notText', { name: file.name }));
        else onText(content.trim());
      },
      () => setRefused(t('studio.input.notText', { name: file.name })),
    );
  };
  return (
    <DropArea onFile={read} className="grid gap-4 p-4 sm:p-5">
      <textarea
        value={text}
        rows={task === 'text_summarization' ? 12 : 5}
        aria-label={t('studio.input.text')}
        placeholder={t(
          task === 'text_summarization' ? 'studio.input.longText' : 'studio.input.shortText',
        )}
        className="max-h-[50dvh] min-h-28 w-full resize-y rounded-lg border border-control bg-background px-3 py-2 text-base placeholder:text-muted"
        onChange={(event) => onText(event.target.value)}
      />
      {refused !== null && (
        <p role="alert" className="text-sm text-danger">
          {refused}
        </p>
      )}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Examples names={tasks[task].examples} onChosen={read} />
        <ChooseFile
          accept={accepted.text}
          label={t('studio.input.chooseText')}
          variant="outline"
          size="small"
          onFile={read}
        />
      </div>
    </DropArea>
  );
}

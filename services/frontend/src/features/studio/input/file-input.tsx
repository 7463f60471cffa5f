import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { formatBytes } from '@/lib/format';

import { accepted, tasks, type InputKind } from '../tasks';
import type { TaskName } from '@/api/types';
import { ChooseFile } from './choose-file';
import { DropArea } from './drop-area';
import { Examples } from './examples';
import { FilePreview } from './file-preview';
import { RecordButton } from './record-button';
import { usePastedFile } from './use-pasted-file';

interface FileInputProps {
  task: TaskName;
  file: File | null;
  onFile: (file: File | null) => void;
}

/** A file that is dropped, chosen, recorded, pasted, or taken from the examples. */
export function FileInput({ task, file, onFile }: FileInputProps) {
  const { t, i18n } = useTranslation();
  const { input: kind, examples } = tasks[task];
  usePastedFile(onFile);
  return (
    <DropArea onFile={onFile} className="grid gap-5 p-5 sm:p-6">
      {file === null ? (
        <div className="grid justify-items-center gap-1 pt-3 text-center">
          <p className="font-medium">
            {t(`studio.input.drop.${kind as Exclude<InputKind, 'text'>}`)}
          </p>
          <p className="text-sm text-muted">{t('studio.input.dropHint')}</p>
        </div>
      ) : (
        <div className="grid gap-3">
          <div className="flex items-center gap-3">
            <p className="min-w-0 flex-1 truncate text-sm" title={file.name}>
              <span className="font-medium">{file.name}</span>{' '}
              <span className="text-muted">{formatBytes(file.size, i18n.language)}</span>
            </p>
            <Button
              variant="quiet"
              size="iconSmall"
              aria-label={t('studio.input.remove', { name: file.name })}
              title={t('studio.input.remove', { name: file.name })}
              onClick={() => onFile(null)}
            >
              <X className="size-4" aria-hidden />
            </Button>
          </div>
          <FilePreview file={file} kind={kind} />
        </div>
      )}
      <div className="flex flex-wrap items-center justify-center gap-2">
        <ChooseFile
          accept={accepted[kind]}
          label={t(file === null ? 'studio.input.choose' : 'studio.input.chooseOther')}
          variant="outline"
          onFile={onFile}
        />
        {kind === 'audio' && <RecordButton onRecorded={onFile} />}
      </div>
      <div className="flex justify-center">
        <Examples names={examples} onChosen={onFile} />
      </div>
    </DropArea>
  );
}

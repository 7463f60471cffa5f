import { Mic, Square } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { formatTime } from '@/lib/format';

import { useRecorder } from './use-recorder';

/** Records from the microphone and gives the file. */
export function RecordButton({ onRecorded }: { onRecorded: (file: File) => void }) {
  const { t } = useTranslation();
  const { start, stop, recording, seconds, problem } = useRecorder(onRecorded);
  return (
    <>
      {recording ? (
        <Button variant="danger" onClick={stop}>
          <Square className="size-4 fill-current" aria-hidden /> {t('studio.input.stop')}
          <span className="tabular-nums" role="timer" aria-live="off">
            {formatTime(seconds)}
          </span>
        </Button>
      ) : (
        <Button variant="outline" onClick={() => void start()}>
          <Mic className="size-4" aria-hidden /> {t('studio.input.record')}
        </Button>
      )}
      {problem !== null && (
        <p role="alert" className="basis-full text-sm text-danger">
          {t(`studio.input.recorder.${problem}`)}
        </p>
      )}
    </>
  );
}

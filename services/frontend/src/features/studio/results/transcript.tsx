import { Download } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { cn } from '@/lib/cn';
import { download, stemOf } from '@/lib/download';
import { formatTime } from '@/lib/format';

import { AudioPlayer, type PlayerHandle } from '../media/audio-player';
import type { Source } from './outcome';
import { toSrt, toVtt } from './subtitles';

interface TranscriptProps {
  result: TaskResults['speech_recognition'];
  source: Source;
}

/** What is said in a recording; each phrase leads to its place. */
export function Transcript({ result, source }: TranscriptProps) {
  const { t } = useTranslation();
  const player = useRef<PlayerHandle>(null);
  const [time, setTime] = useState(-1);
  const { segments, text } = result;
  if (text.trim() === '') {
    return (
      <>
        {source.file !== null && (
          <AudioPlayer sound={source.file} label={t('studio.input.recording')} />
        )}
        <Alert tone="notice">{t('studio.transcript.silence')}</Alert>
      </>
    );
  }
  const stem = stemOf(source.name);
  const formats = [
    { name: 'TXT', save: () => download(`${stem}.txt`, `${text.trim()}\n`) },
    { name: 'SRT', save: () => download(`${stem}.srt`, toSrt(segments), 'application/x-subrip') },
    { name: 'VTT', save: () => download(`${stem}.vtt`, toVtt(segments), 'text/vtt') },
  ];
  return (
    <div className="grid gap-4">
      {source.file !== null && (
        <AudioPlayer
          ref={player}
          sound={source.file}
          label={t('studio.input.recording')}
          onTime={setTime}
        />
      )}
      <ol className="grid gap-0.5" data-testid="transcript">
        {segments.map((segment, index) => {
          const now = time >= segment.start && time < segment.end;
          return (
            <li key={index}>
              <button
                type="button"
                disabled={source.file === null}
                aria-current={now ? 'true' : undefined}
                className={cn(
                  'grid w-full grid-cols-[4.5rem_1fr] gap-2 rounded-lg px-2 py-1.5 text-left transition-colors enabled:hover:bg-hover',
                  now && 'bg-hover',
                )}
                onClick={() => player.current?.playFrom(segment.start)}
              >
                <span className="pt-0.5 text-sm text-primary tabular-nums">
                  {formatTime(segment.start, true)}
                </span>
                <span>{segment.text.trim()}</span>
              </button>
            </li>
          );
        })}
      </ol>
      <div className="flex flex-wrap items-center gap-2">
        {formats.map(({ name, save }) => (
          <Button
            key={name}
            variant="outline"
            size="small"
            aria-label={t('studio.transcript.download', { format: name })}
            onClick={save}
          >
            <Download className="size-4" aria-hidden /> {name}
          </Button>
        ))}
        <CopyButton label={t('studio.transcript.copy')} text={() => text.trim()} />
      </div>
    </div>
  );
}

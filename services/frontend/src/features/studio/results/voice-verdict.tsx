import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import { formatPercent, formatTime } from '@/lib/format';

import { AudioPlayer, type PlayerHandle } from '../media/audio-player';
import type { Source } from './outcome';
import { VerdictGauge } from './verdict-gauge';
import { columnsOf } from './windows';

interface VoiceVerdictProps {
  result: TaskResults['audio_deepfake'];
  source: Source;
}

/** Whether a voice is synthetic, as a whole and over time. */
export function VoiceVerdict({ result, source }: VoiceVerdictProps) {
  const { t, i18n } = useTranslation();
  const player = useRef<PlayerHandle>(null);
  const columns = columnsOf(result.windows, null);
  const windows = (
    <div className="grid gap-1">
      <div
        role="group"
        aria-label={t('studio.verdict.windows')}
        className="relative h-16 rounded-md bg-background"
      >
        {columns.map((column) => {
          const words = t('studio.verdict.window', {
            start: formatTime(column.start, true),
            end: formatTime(column.end, true),
            score: formatPercent(column.score, i18n.language),
          });
          return (
            <button
              key={column.start}
              type="button"
              aria-label={words}
              title={words}
              disabled={source.file === null}
              className="absolute inset-y-0 flex items-end px-px"
              style={{ left: `${column.left * 100}%`, width: `${column.width * 100}%` }}
              onClick={() => player.current?.playFrom(column.start)}
            >
              <span
                className={`block w-full rounded-t-sm ${column.score >= 0.5 ? 'bg-danger' : 'bg-primary'}`}
                style={{ height: `${Math.max(4, column.score * 100)}%` }}
              />
            </button>
          );
        })}
        <span
          className="pointer-events-none absolute inset-x-0 top-1/2 border-t border-dashed border-control"
          aria-hidden
        />
      </div>
      <p className="text-xs text-muted">{t('studio.verdict.windowsHint')}</p>
    </div>
  );
  return (
    <div className="grid gap-6">
      <VerdictGauge label={result.label} score={result.score} />
      {source.file === null ? (
        windows
      ) : (
        <AudioPlayer ref={player} sound={source.file} label={t('studio.input.recording')}>
          {windows}
        </AudioPlayer>
      )}
    </div>
  );
}

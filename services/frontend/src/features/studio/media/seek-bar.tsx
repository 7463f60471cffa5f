import { useTranslation } from 'react-i18next';

import { formatTime } from '@/lib/format';

import { wavePath } from './peaks';

interface SeekBarProps {
  label: string;
  /** Loudness over time; null draws a plain line. */
  peaks: number[] | null;
  /** In seconds. */
  time: number;
  duration: number;
  onSeek: (seconds: number) => void;
}

/** A recording's picture, in which a pointer, a finger or the arrow keys choose the time. */
export function SeekBar({ label, peaks, time, duration, onSeek }: SeekBarProps) {
  const { t } = useTranslation();
  const played = duration > 0 ? Math.min(1, time / duration) : 0;
  const wave = peaks !== null && peaks.length > 0 ? peaks : [0];
  const path = wavePath(wave);
  const drawing = (colour: string) => (
    <svg
      viewBox={`0 0 ${wave.length} 100`}
      preserveAspectRatio="none"
      className={`absolute inset-0 size-full ${colour}`}
      aria-hidden
      focusable="false"
    >
      {peaks === null ? (
        <path d="M0 50H1" stroke="currentColor" strokeWidth="6" vectorEffect="non-scaling-stroke" />
      ) : (
        <path d={path} stroke="currentColor" strokeWidth="0.6" strokeLinecap="butt" />
      )}
    </svg>
  );
  return (
    <div className="relative h-14 min-w-0 flex-1 rounded-md has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-offset-2 has-[:focus-visible]:outline-ring">
      {drawing('text-control/60 dark:text-control')}
      <div
        className="absolute inset-0"
        style={{ clipPath: `inset(0 ${((1 - played) * 100).toFixed(2)}% 0 0)` }}
      >
        {drawing('text-primary')}
      </div>
      <input
        type="range"
        min={0}
        max={duration}
        step={0.1}
        value={Math.min(time, duration)}
        disabled={duration === 0}
        aria-label={label}
        aria-valuetext={t('studio.player.position', {
          time: formatTime(time),
          duration: formatTime(duration),
        })}
        className="absolute inset-0 m-0 size-full cursor-pointer opacity-0"
        onChange={(event) => onSeek(event.target.valueAsNumber)}
      />
    </div>
  );
}

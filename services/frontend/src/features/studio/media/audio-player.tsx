import { Pause, Play } from 'lucide-react';
import type { ReactNode, Ref } from 'react';
import { useImperativeHandle, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { formatTime } from '@/lib/format';
import { useObjectUrl } from '@/lib/use-object-url';

import { SeekBar } from './seek-bar';
import { useWaveform } from './use-waveform';

export interface PlayerHandle {
  /** Plays from there, in seconds. */
  playFrom: (seconds: number) => void;
}

interface AudioPlayerProps {
  sound: Blob;
  /** What is heard, such as “Before”. */
  label: string;
  ref?: Ref<PlayerHandle>;
  onTime?: (seconds: number) => void;
  /** Something along the same line of time, below the waveform. */
  children?: ReactNode;
}

/** Only one recording is heard at a time. */
let heard: HTMLAudioElement | null = null;

/** Plays a recording and shows its waveform. */
export function AudioPlayer({ sound, label, ref, onTime, children }: AudioPlayerProps) {
  const { t } = useTranslation();
  const audio = useRef<HTMLAudioElement>(null);
  const url = useObjectUrl(sound);
  const waveform = useWaveform(sound);
  const [time, setTime] = useState(0);
  const [told, setTold] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [unplayable, setUnplayable] = useState(false);
  // What a browser has recorded itself does not tell its length.
  const duration = waveform?.duration ?? (Number.isFinite(told) ? told : 0);

  const seek = (seconds: number) => {
    if (audio.current !== null) audio.current.currentTime = seconds;
    setTime(seconds);
    onTime?.(seconds);
  };
  const play = () => void audio.current?.play().catch(() => undefined);
  useImperativeHandle(ref, () => ({
    playFrom: (seconds) => {
      seek(seconds);
      play();
    },
  }));

  return (
    <div className="grid gap-2 rounded-xl bg-code p-3" role="group" aria-label={label}>
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <span className="font-medium">{label}</span>
        <span className="text-muted tabular-nums">
          {formatTime(time)} / {formatTime(duration)}
        </span>
      </div>
      <div className="flex items-center gap-3">
        <Button
          size="icon"
          className="rounded-full"
          disabled={url === null || unplayable}
          aria-label={t(playing ? 'studio.player.pause' : 'studio.player.play', { name: label })}
          onClick={() => {
            if (playing) audio.current?.pause();
            else play();
          }}
        >
          {playing ? (
            <Pause className="size-4" aria-hidden />
          ) : (
            <Play className="size-4 translate-x-px" aria-hidden />
          )}
        </Button>
        <SeekBar
          label={t('studio.player.seek', { name: label })}
          peaks={waveform?.peaks ?? null}
          time={time}
          duration={duration}
          onSeek={seek}
        />
      </div>
      {/* Under the waveform: as far from the left as the button takes. */}
      {children !== undefined && <div className="pl-13">{children}</div>}
      {unplayable && <p className="text-sm text-muted">{t('studio.player.unplayable')}</p>}
      {url !== null && (
        // eslint-disable-next-line jsx-a11y/media-has-caption -- a transcript is what speech recognition is for
        <audio
          ref={audio}
          src={url}
          preload="metadata"
          onLoadedMetadata={(event) => setTold(event.currentTarget.duration)}
          onTimeUpdate={(event) => {
            setTime(event.currentTarget.currentTime);
            onTime?.(event.currentTarget.currentTime);
          }}
          onPlay={(event) => {
            if (heard !== null && heard !== event.currentTarget) heard.pause();
            heard = event.currentTarget;
            setPlaying(true);
          }}
          onPause={() => setPlaying(false)}
          onEnded={() => setPlaying(false)}
          onError={() => setUnplayable(true)}
        />
      )}
    </div>
  );
}

import { useEffect, useState } from 'react';

import { peaksOf } from './peaks';

export interface Waveform {
  peaks: number[];
  /** Length of the recording in seconds. */
  duration: number;
}

const bars = 160;
/** Enough to see loudness; a low rate keeps an hour of sound small. In Hz. */
const rate = 8000;
/** Longer recordings are played without a picture of them. In bytes. */
const most = 64 * 1024 * 1024;

async function decode(blob: Blob): Promise<Waveform> {
  const context = new OfflineAudioContext(1, 1, rate);
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) =>
    sound.getChannelData(index),
  );
  return { peaks: peaksOf(channels, bars), duration: sound.duration };
}

/** The loudness of a recording over time; null until it is known, or when it cannot be. */
export function useWaveform(blob: Blob): Waveform | null {
  const [known, setKnown] = useState<{ blob: Blob; waveform: Waveform } | null>(null);
  useEffect(() => {
    if (blob.size > most) return;
    let wanted = true;
    decode(blob).then(
      (waveform) => {
        if (wanted) setKnown({ blob, waveform });
      },
      // What this browser cannot decode, a model may hear all the same.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [blob]);
  return known?.blob === blob ? known.waveform : null;
}

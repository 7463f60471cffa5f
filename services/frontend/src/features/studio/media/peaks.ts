/**
 * The loudest sample, 0 to 1, of each of `count` equal parts of a recording over all its channels.
 * A recording with fewer samples than that gives one value per sample.
 */
export function peaksOf(channels: readonly Float32Array[], count: number): number[] {
  const length = Math.max(0, ...channels.map((channel) => channel.length));
  const parts = Math.min(count, length);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * length) / parts);
    const to = Math.floor(((part + 1) * length) / parts);
    let loudest = 0;
    for (const channel of channels) {
      for (let index = from; index < Math.min(to, channel.length); index++) {
        loudest = Math.max(loudest, Math.abs(channel[index] ?? 0));
      }
    }
    return Math.min(1, loudest);
  });
}

/** An SVG path of upright bars around the middle of a box `peaks.length` wide and 100 high. */
export function wavePath(peaks: readonly number[]): string {
  return peaks
    .map((peak, index) => {
      // Silence stays visible as a thin line.
      const half = Math.max(1, peak * 48);
      return `M${index + 0.5} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
    })
    .join('');
}

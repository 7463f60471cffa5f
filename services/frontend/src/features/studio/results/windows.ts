import type { VoiceWindow } from '@/api/types';

export interface Column {
  /** Where it begins and how wide it is, as shares of the recording. */
  left: number;
  width: number;
  start: number;
  end: number;
  score: number;
}

/**
 * The windows of a judged recording side by side. They overlap, so that each is drawn until the
 * next one begins; what lies between the last one's end and the next is left free.
 *
 * @param duration of the recording in seconds; null takes the end of the last window.
 */
export function columnsOf(windows: readonly VoiceWindow[], duration: number | null): Column[] {
  const sorted = windows.toSorted((a, b) => a.start - b.start);
  const total = Math.max(duration ?? 0, ...sorted.map((window) => window.end));
  if (total <= 0) return [];
  return sorted.map((window, index) => {
    const next = sorted[index + 1];
    const until = next === undefined ? window.end : Math.min(window.end, next.start);
    return {
      left: window.start / total,
      width: Math.max(0, until - window.start) / total,
      start: window.start,
      end: window.end,
      score: Math.min(1, Math.max(0, window.score)),
    };
  });
}

import type { Segment } from '@/api/types';

/** `HH:MM:SS` and milliseconds behind `mark`, as subtitle files write times. */
function stamp(seconds: number, mark: ',' | '.'): string {
  const total = Math.max(0, Math.round(seconds * 1000));
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
  const [hours, minutes] = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60];
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(Math.floor(total / 1000) % 60, 2)}${mark}${pad(total % 1000, 3)}`;
}

/** One line and no blank ones: a blank line would end the cue. */
const oneLine = (text: string) => text.trim().replace(/\s*\n\s*/g, ' ');

/** SubRip. */
export function toSrt(segments: readonly Segment[]): string {
  return segments
    .map(({ start, end, text }, index) =>
      [index + 1, `${stamp(start, ',')} --> ${stamp(end, ',')}`, oneLine(text), ''].join('\n'),
    )
    .join('\n');
}

/** WebVTT; its text knows markup, so that what would be some is escaped. */
export function toVtt(segments: readonly Segment[]): string {
  const escaped = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const cues = segments.map(({ start, end, text }) =>
    [`${stamp(start, '.')} --> ${stamp(end, '.')}`, escaped(oneLine(text)), ''].join('\n'),
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

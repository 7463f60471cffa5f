/** Dates for people, in the language of the page and the time zone of the browser. */
export function formatDateTime(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(iso),
  );
}

export function formatDate(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(iso));
}

export function formatMonth(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric' }).format(
    new Date(iso),
  );
}

/** Whole calendar days from `iso` to `now`, both in local time; 0 is today. */
export function daysAgo(iso: string, now: Date): number {
  const then = new Date(iso);
  const midnight = (date: Date) =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(now) - midnight(then)) / 86_400_000);
}

/** Bytes for people: `0 B`, `512 kB`, `3.4 GB`. */
export function formatBytes(bytes: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[power] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: power > 2 ? 1 : 0,
  }).format(bytes / 1000 ** power);
}

/** A time in a recording: `0:07`, `1:02:03`; with tenths where asked. */
export function formatTime(seconds: number, tenths = false): string {
  const step = tenths ? 10 : 1;
  const whole = Math.floor(Math.max(0, seconds) * step + 1e-6) / step;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** A span of time: `35ms`, `1.4s`. */
export function formatSeconds(seconds: number, language: string): string {
  const short = seconds < 1;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: short ? 'millisecond' : 'second',
    unitDisplay: 'narrow',
    maximumFractionDigits: short ? 0 : 1,
  }).format(short ? seconds * 1000 : seconds);
}

export function formatPercent(fraction: number, language: string, digits = 0): string {
  return new Intl.NumberFormat(language, {
    style: 'percent',
    maximumFractionDigits: digits,
  }).format(fraction);
}

import { cn } from '@/lib/cn';

interface MeterProps {
  label: string;
  /** 0 to 1. */
  value: number;
  /** The value in words. */
  text: string;
  strong?: boolean;
}

/** A share as a bar. */
export function Meter({ label, value, text, strong = false }: MeterProps) {
  return (
    <div className="grid grid-cols-[5.5rem_1fr_3rem] sm:grid-cols-[8rem_1fr_3rem] items-center gap-3 text-sm">
      <span className={cn('truncate', strong && 'font-semibold')} aria-hidden>
        {label}
      </span>
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={1}
        aria-valuenow={value}
        aria-valuetext={text}
        className="h-2.5 overflow-hidden rounded-full bg-code"
      >
        <div
          className={cn('h-full rounded-full', strong ? 'bg-primary' : 'bg-control')}
          style={{ width: `${(value * 100).toFixed(1)}%` }}
        />
      </div>
      <span className="text-right tabular-nums" aria-hidden>
        {text}
      </span>
    </div>
  );
}

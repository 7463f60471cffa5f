import { Progress as Primitive } from 'radix-ui';

interface ProgressProps {
  /** 0 to 1; null while nobody knows. */
  value: number | null;
  label: string;
}

/** How far something is. */
export function Progress({ value, label }: ProgressProps) {
  return (
    <Primitive.Root
      value={value === null ? null : Math.round(value * 100)}
      aria-label={label}
      className="h-1.5 overflow-hidden rounded-full bg-hover"
    >
      <Primitive.Indicator
        className="h-full rounded-full bg-primary transition-[width] data-[state=indeterminate]:w-1/3 data-[state=indeterminate]:animate-pulse"
        style={value === null ? undefined : { width: `${value * 100}%` }}
      />
    </Primitive.Root>
  );
}

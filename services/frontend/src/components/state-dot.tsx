import type { Model } from '@/api/types';
import { cn } from '@/lib/cn';

const colour = {
  ready: 'bg-success',
  available: 'border border-control',
  loading: 'animate-pulse bg-warning',
  failed: 'bg-danger',
} as const satisfies Record<Model['state'], string>;

/** The state of a model as a colour; the words stand beside it. */
export function StateDot({ state }: { state: Model['state'] }) {
  return <span className={cn('block size-2 shrink-0 rounded-full', colour[state])} aria-hidden />;
}

import type { ComponentProps } from 'react';

import { cn } from '@/lib/cn';

/** 16 px letters: with smaller ones a phone zooms in on focus. */
const look =
  'w-full rounded-lg border border-control bg-surface px-3 text-base text-foreground placeholder:text-muted aria-invalid:border-danger';

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input className={cn(look, 'h-11', className)} {...props} />;
}

export function NativeSelect({ className, ...props }: ComponentProps<'select'>) {
  return <select className={cn(look, 'h-11', className)} {...props} />;
}

import { cva, type VariantProps } from 'class-variance-authority';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';

import { cn } from '@/lib/cn';

const buttonVariants = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors disabled:pointer-events-none disabled:opacity-60 aria-disabled:opacity-60',
  {
    variants: {
      variant: {
        primary: 'bg-primary text-primary-foreground hover:bg-primary-hover',
        outline: 'border border-control bg-surface hover:bg-hover',
        ghost: 'text-foreground hover:bg-hover',
        quiet: 'text-muted hover:bg-hover hover:text-foreground',
        danger: 'bg-danger text-danger-foreground hover:bg-danger-hover',
      },
      size: {
        default: 'h-10 px-4 text-sm',
        small: 'h-8 px-3 text-sm',
        icon: 'size-10',
        iconSmall: 'size-8',
      },
    },
    defaultVariants: { variant: 'primary', size: 'default' },
  },
);

type ButtonProps = ComponentProps<'button'> &
  VariantProps<typeof buttonVariants> & {
    /** Gives the looks to the one child, for a link that looks like a button. */
    asChild?: boolean;
  };

export function Button({
  className,
  variant,
  size,
  asChild = false,
  type = 'button',
  ...props
}: ButtonProps) {
  const look = cn(buttonVariants({ variant, size }), className);
  return asChild ? (
    <Slot.Root className={look} {...props} />
  ) : (
    <button type={type} className={look} {...props} />
  );
}

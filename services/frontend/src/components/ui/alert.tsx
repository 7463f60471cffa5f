import { CircleAlert, Info } from 'lucide-react';
import type { ReactNode } from 'react';

import { cn } from '@/lib/cn';

interface AlertProps {
  tone?: 'danger' | 'notice';
  className?: string;
  children: ReactNode;
}

/** A message in the page. A danger is read out at once, a notice when the reader is idle. */
export function Alert({ tone = 'danger', className, children }: AlertProps) {
  const Icon = tone === 'danger' ? CircleAlert : Info;
  return (
    <div
      role={tone === 'danger' ? 'alert' : 'status'}
      className={cn(
        'flex gap-2.5 rounded-lg p-3 text-sm',
        tone === 'danger' ? 'bg-danger-surface text-danger' : 'bg-notice-surface text-foreground',
        className,
      )}
    >
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0">{children}</div>
    </div>
  );
}

import type { ReactNode } from 'react';
import { createContext, use } from 'react';

import { cn } from '@/lib/cn';

const InsideMain = createContext(false);

interface MainAreaProps {
  className?: string;
  children: ReactNode;
}

/**
 * The main landmark of a page. Where a layout around it is one already it is a plain box, so that
 * a page that stands alone as well as inside the chat never makes a second.
 */
export function MainArea({ className, children }: MainAreaProps) {
  if (use(InsideMain)) return <div className={className}>{children}</div>;
  return (
    <InsideMain value={true}>
      <main id="main" tabIndex={-1} className={cn('outline-none', className)}>
        {children}
      </main>
    </InsideMain>
  );
}

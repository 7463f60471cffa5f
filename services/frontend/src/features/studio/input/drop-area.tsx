import type { ReactNode } from 'react';

import { cn } from '@/lib/cn';

import { useDroppedFile } from './use-dropped-file';

interface DropAreaProps {
  className?: string;
  onFile: (file: File) => void;
  children: ReactNode;
}

/** Shows where a file goes that is dropped on the page. */
export function DropArea({ className, onFile, children }: DropAreaProps) {
  const over = useDroppedFile(onFile);
  return (
    <div
      className={cn(
        'rounded-2xl border-2 border-dashed transition-colors',
        over ? 'border-primary bg-hover' : 'border-control/50 bg-surface',
        className,
      )}
    >
      {children}
    </div>
  );
}

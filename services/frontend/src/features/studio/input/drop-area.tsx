import type { DragEvent, ReactNode } from 'react';
import { useState } from 'react';

import { cn } from '@/lib/cn';

interface DropAreaProps {
  className?: string;
  onFile: (file: File) => void;
  children: ReactNode;
}

/** Takes a file that is dropped on it. */
export function DropArea({ className, onFile, children }: DropAreaProps) {
  // Children are entered and left as well; over it is whoever entered more often.
  const [depth, setDepth] = useState(0);
  const hasFile = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    <div
      role="presentation"
      className={cn(
        'rounded-2xl border-2 border-dashed transition-colors',
        depth > 0 ? 'border-primary bg-hover' : 'border-control/50 bg-surface',
        className,
      )}
      onDragEnter={(event) => {
        if (hasFile(event)) setDepth((now) => now + 1);
      }}
      onDragLeave={(event) => {
        if (hasFile(event)) setDepth((now) => Math.max(0, now - 1));
      }}
      onDragOver={(event) => {
        if (hasFile(event)) event.preventDefault();
      }}
      onDrop={(event) => {
        setDepth(0);
        const file = event.dataTransfer.files[0];
        if (file === undefined) return;
        event.preventDefault();
        onFile(file);
      }}
    >
      {children}
    </div>
  );
}

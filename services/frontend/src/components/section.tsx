import type { ReactNode } from 'react';
import { useId } from 'react';

interface SectionProps {
  title: string;
  text?: string | undefined;
  action?: ReactNode;
  children: ReactNode;
}

/** One card of a page. */
export function Section({ title, text, action, children }: SectionProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="grid gap-4 rounded-2xl border border-border bg-surface p-5 sm:p-6"
    >
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div>
          <h2 id={id} className="text-lg font-semibold">
            {title}
          </h2>
          {text !== undefined && <p className="text-sm text-muted">{text}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

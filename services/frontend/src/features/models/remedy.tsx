import { Fragment } from 'react';

/** A sentence on what to do, with what stands in backticks as code. */
export function Remedy({ text }: { text: string }) {
  return text.split(/(`[^`]+`)/).map((part, index) =>
    part.startsWith('`') ? (
      <code
        key={index}
        className="rounded bg-code px-1.5 py-0.5 font-mono text-[0.85em] break-words"
      >
        {part.slice(1, -1)}
      </code>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}

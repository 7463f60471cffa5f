import type { ComponentProps } from 'react';
import { isValidElement, useRef } from 'react';
import type { ExtraProps } from 'react-markdown';

import { CopyButton } from '@/components/copy-button';
import { useTranslation } from 'react-i18next';

/** A fenced code block with its language and a copy button. */
export function CodeBlock({ children }: ComponentProps<'pre'> & ExtraProps) {
  const { t } = useTranslation();
  const code = useRef<HTMLPreElement>(null);
  const language = languageOf(children);
  return (
    <figure className="code-block">
      <figcaption className="flex items-center justify-between gap-2 border-b border-border py-1 pr-1 pl-4 text-xs text-muted">
        <span>{language ?? t('chat.code')}</span>
        <CopyButton
          label={t('chat.copyCode')}
          text={() => code.current?.textContent.replace(/\n$/, '') ?? ''}
        />
      </figcaption>
      {/* A long line scrolls; a scrolling area must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre ref={code} tabIndex={0}>
        {children}
      </pre>
    </figure>
  );
}

function languageOf(child: unknown): string | null {
  if (!isValidElement<{ className?: string }>(child)) return null;
  return /language-([\w+#.-]+)/.exec(child.props.className ?? '')?.[1] ?? null;
}

import { memo, useState } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';

import { CodeBlock } from './code-block';
import { useRehypePlugins } from './lazy-plugins';
import { normaliseMath } from './normalise-math';
import { remarkPlugins } from './parse';
import { safeUrl } from './safe-url';
import { splitBlocks } from './split-blocks';

const components: Components = {
  a: ({ href, children }) =>
    href === undefined || href === '' ? (
      <span>{children}</span>
    ) : (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ),
  // A picture would be fetched from wherever the text says; the reader decides by a click.
  img: ({ src, alt }) =>
    typeof src === 'string' && src !== '' ? (
      <a href={src} target="_blank" rel="noopener noreferrer nofollow">
        {alt === undefined || alt === '' ? src : alt}
      </a>
    ) : (
      <span>{alt}</span>
    ),
  pre: CodeBlock,
  table: ({ children }) => (
    // Wide tables scroll by themselves; a scrolling area must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

/** One top-level block. Rendered again only when its own text changes. */
export const MarkdownBlock = memo(function MarkdownBlock({ text }: { text: string }) {
  const rehypePlugins = useRehypePlugins(text);
  return (
    <ReactMarkdown
      remarkPlugins={remarkPlugins}
      rehypePlugins={rehypePlugins}
      components={components}
      urlTransform={safeUrl}
    >
      {text}
    </ReactMarkdown>
  );
});

/** Markdown without raw HTML: a tag in the text is shown as the text it is. */
export function Markdown({ text }: { text: string }) {
  const normal = normaliseMath(text);
  const [split, setSplit] = useState(() => splitBlocks(normal));
  let current = split;
  if (split.text !== normal) {
    current = splitBlocks(normal, split);
    setSplit(current);
  }
  return (
    <div className="prose">
      {current.blocks.map((block, index) => (
        // A block never moves: text only grows at the end.
        <MarkdownBlock key={index} text={block} />
      ))}
    </div>
  );
}

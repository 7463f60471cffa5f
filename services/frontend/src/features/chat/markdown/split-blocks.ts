import { parseMarkdown } from './parse';

/** Markdown cut into top-level blocks; joined, they are the text again. */
export interface Blocks {
  text: string;
  blocks: string[];
}

const none: Blocks = { text: '', blocks: [] };

/**
 * Cuts `text` into its top-level blocks, so that each can be rendered and kept by itself.
 * When `text` continues `before.text`, only its last block is parsed again: text that is
 * appended cannot change a block that another one already follows.
 * A text with link or footnote definitions stays in one piece, as those reach across blocks.
 */
export function splitBlocks(text: string, before: Blocks = none): Blocks {
  if (text === before.text) return before;
  const continues = before.blocks.length > 1 && text.startsWith(before.text);
  const kept = continues ? before.blocks.slice(0, -1) : [];
  const start = kept.reduce((length, block) => length + block.length, 0);
  const tail = cut(text.slice(start));
  return { text, blocks: tail === null ? [text] : [...kept, ...tail] };
}

function cut(text: string): string[] | null {
  const { children } = parseMarkdown(text);
  if (children.some((node) => node.type === 'definition' || node.type === 'footnoteDefinition')) {
    return null;
  }
  // A block reaches to the start of the next, so that blank lines are kept.
  const starts = children.map((node) => node.position?.start.offset ?? 0);
  starts[0] = 0;
  return starts.map((start, index) => text.slice(start, starts[index + 1]));
}

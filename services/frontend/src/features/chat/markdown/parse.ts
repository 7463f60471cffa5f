import remarkGfm from 'remark-gfm';
import remarkMath from 'remark-math';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

/** The same grammar wherever Markdown is read here. */
export const remarkPlugins = [remarkGfm, remarkMath];

const parser = unified().use(remarkParse).use(remarkPlugins);

export function parseMarkdown(text: string) {
  return parser.parse(text);
}

import 'katex/dist/katex.min.css';

import rehypeKatex from 'rehype-katex';
import type { PluggableList } from 'unified';

/** `trust` stays off: a formula may not make links or load images. */
export const mathPlugins: PluggableList = [
  [rehypeKatex, { trust: false, strict: 'ignore', maxExpand: 200, maxSize: 40 }],
];

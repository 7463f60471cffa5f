import { render } from '@testing-library/react';
import type { ComponentType } from 'react';
import type { Options } from 'react-markdown';
import { expect, test, vi } from 'vitest';

import { Markdown } from './markdown';
import * as parse from './parse';
import { splitBlocks } from './split-blocks';

/** The text of each block that is rendered, in order. */
const rendered: string[] = [];
vi.mock('react-markdown', async (original) => {
  const { default: ReactMarkdown } = await original<{ default: ComponentType<Options> }>();
  return {
    default: (props: Options) => {
      rendered.push(props.children ?? '');
      return <ReactMarkdown {...props} />;
    },
  };
});

const answer = [
  '# Tides\n',
  'First paragraph\nof two lines.\n',
  '- one\n\n- two\n  ```sh\n  ls\n\n  pwd\n  ```\n',
  '```python\nx = 1\n\ny = 2\n```\n',
  '$$\na\n\nb\n$$\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n',
  'The end.',
].join('\n');

test('blocks joined are the text', () => {
  expect(splitBlocks(answer).blocks.join('')).toBe(answer);
  expect(splitBlocks(answer).blocks).toHaveLength(7);
});

test('growing letter by letter gives the same blocks as the whole text', () => {
  let blocks = splitBlocks('');
  for (let end = 1; end <= answer.length; end += 1) {
    blocks = splitBlocks(answer.slice(0, end), blocks);
  }
  expect(blocks.blocks).toEqual(splitBlocks(answer).blocks);
});

test('only the last block is parsed again when text is added', () => {
  const before = splitBlocks(answer);
  const spy = vi.spyOn(parse, 'parseMarkdown');
  splitBlocks(`${answer} More.`, before);
  expect(spy).toHaveBeenCalledExactlyOnceWith('The end. More.');
});

test('a definition keeps the text in one piece, so that its links work', () => {
  const text = 'See [the manual][m].\n\n[m]: https://example.org/';
  expect(splitBlocks(text).blocks).toEqual([text]);
  const { container } = render(<Markdown text={text} />);
  expect(container.querySelector('a')).toHaveAttribute('href', 'https://example.org/');
});

test('a token renders the last block again and no other', () => {
  const view = render(<Markdown text={'First.\n\nSecond.\n\nThi'} />);
  rendered.length = 0;
  view.rerender(<Markdown text={'First.\n\nSecond.\n\nThird'} />);
  expect(view.container).toHaveTextContent('First.Second.Third');
  expect(rendered).toEqual(['Third']);
});

import { render, screen, waitFor } from '@testing-library/react';
import { describe, expect, test } from 'vitest';

import { Markdown } from './markdown';

const html = (text: string) => render(<Markdown text={text} />).container;

describe('what a text may not do', () => {
  test('raw HTML is shown as the text it is', () => {
    const view = html('<img src=x onerror=alert(1)> and <script>alert(1)</script>\n\n<b>bold</b>');
    expect(view.querySelector('img, script, b')).toBeNull();
    expect(view).toHaveTextContent('<script>alert(1)</script>');
  });

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java&#115;cript:alert(1)',
    'data:text/html,hello',
    'vbscript:x',
    'file:///etc/passwd',
    '//other.example/x',
    '/api/auth/logout',
  ])('a link to %s is no link', (address) => {
    expect(html(`[text](<${address}>)`).querySelector('a')).toBeNull();
    expect(screen.getByText('text')).toBeVisible();
  });

  test('a picture is never fetched; it becomes a link', () => {
    const view = html('![chart](https://elsewhere.example/pixel.png)');
    expect(view.querySelector('img')).toBeNull();
    expect(screen.getByRole('link', { name: 'chart' })).toBeVisible();
  });

  test('a formula may not make links or styles of its own', async () => {
    const view = html('$\\href{javascript:alert(1)}{x}$');
    await screen.findByText((_text, element) => element?.classList.contains('katex') === true);
    expect(view.querySelector('a')).toBeNull();
  });
});

test.each(['https://example.org/a', 'http://10.0.0.1/', 'mailto:me@example.org'])(
  'a link to %s opens apart from this page',
  (address) => {
    html(`[text](${address})`);
    const link = screen.getByRole('link', { name: 'text' });
    expect(link).toHaveAttribute('href', address);
    expect(link).toHaveAttribute('target', '_blank');
    expect(link.getAttribute('rel')).toContain('noopener');
  },
);

test('code is coloured and can be copied', async () => {
  const view = html('```python\nimport math\n```');
  await waitFor(() => expect(view.querySelector('.hljs-keyword')).toHaveTextContent('import'));
  expect(screen.getByRole('button', { name: 'Copy code' })).toBeVisible();
  expect(screen.getByText('python')).toBeVisible();
});

test('formulas are set, prices are not', async () => {
  const view = html('Between $5 and $10, and $E = mc^2$.');
  await waitFor(() => expect(view.querySelectorAll('.katex')).toHaveLength(1));
  expect(view).toHaveTextContent('Between $5 and $10');
});

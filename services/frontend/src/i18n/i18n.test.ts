import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { preferredLanguage } from '.';
import en from './en.json';
import zhCN from './zh-CN.json';

interface Tree {
  [key: string]: string | Tree;
}

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string'
        ? [[prefix + key, value] as const]
        : [...flatten(value, `${prefix}${key}.`)],
    ),
  );
}

const english = flatten(en);
const chinese = flatten(zhCN);
/** Chinese has one plural form, English two. */
const base = (key: string) => key.replace(/_(one|other)$/, '');
const placeholders = (text: string) => [...text.matchAll(/{{\w+}}/g)].map(String).sort();

test('both languages have the same keys', () => {
  const keys = (texts: Map<string, string>) => [...new Set([...texts.keys()].map(base))].sort();
  expect(keys(chinese)).toEqual(keys(english));
});

test('both languages fill in the same values', () => {
  for (const [key, text] of chinese) {
    expect([key, placeholders(text)]).toEqual([key, placeholders(english.get(key) ?? '')]);
  }
});

test('no text is empty, and none is left in the other language', () => {
  for (const text of [...english.values(), ...chinese.values()]) expect(text.trim()).not.toBe('');
  for (const [key, text] of english)
    expect([key, /\p{Script=Han}/u.test(text)]).toEqual([key, false]);
  const same = [...chinese].filter(([key, text]) => english.get(key) === text).map(([key]) => key);
  expect(same).toEqual(['app.name', 'chat.assistant', 'chat.version']);
});

const source = join(import.meta.dirname, '..');
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => /(?<!\.test|\.d)\.tsx?$/.test(path))
  .map((path) => readFileSync(join(source, path), 'utf8'))
  .join('\n');
const namespaces = Object.keys(en).join('|');
/** Keys as they stand in the code; those made at run time end in a dot. */
const used = new Set(
  [...code.matchAll(new RegExp(`['\`]((?:${namespaces})\\.[\\w.]*)(?=['\`$])`, 'g'))].map(
    (match) => match[1] ?? '',
  ),
);

test('every key used has a text', () => {
  const defined = [...english.keys()].map(base);
  const known = (key: string) =>
    key.endsWith('.') ? defined.some((name) => name.startsWith(key)) : defined.includes(key);
  expect(used.size).toBeGreaterThan(100);
  expect([...used].filter((key) => !known(key))).toEqual([]);
});

test('every text is used', () => {
  const dynamic = [...used].filter((key) => key.endsWith('.'));
  const reached = (key: string) =>
    used.has(base(key)) || dynamic.some((prefix) => key.startsWith(prefix));
  expect([...english.keys()].filter((key) => !reached(key))).toEqual([]);
});

test('the language is the one chosen, else the browser’s, else English', () => {
  expect(preferredLanguage('en', ['zh-CN'])).toBe('en');
  expect(preferredLanguage(null, ['de-DE', 'zh-TW', 'en'])).toBe('zh-CN');
  expect(preferredLanguage(null, ['en-GB', 'zh'])).toBe('en');
  expect(preferredLanguage('xx', ['fr'])).toBe('en');
});

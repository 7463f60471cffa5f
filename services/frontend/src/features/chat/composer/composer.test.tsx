import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createEvent, fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';

import { ApiError } from '@/api/error';
import { configQuery } from '@/features/auth/session';

import { Composer } from './composer';

const onSend = vi.fn();
const onStop = vi.fn();

beforeEach(() => {
  onSend.mockReset();
  onStop.mockReset();
});

function show(text: string, more: { running?: boolean; error?: Error } = {}) {
  const client = new QueryClient();
  client.setQueryData(configQuery.queryKey, {
    version: '0',
    registration: 'open',
    password_min_length: 10,
    max_message_chars: 20,
  });
  function Page() {
    const [value, setValue] = useState(text);
    return (
      <Composer
        text={value}
        onTextChange={setValue}
        onSend={onSend}
        sending={false}
        onStop={more.running === true ? onStop : null}
        error={more.error ?? null}
      />
    );
  }
  render(
    <QueryClientProvider client={client}>
      <Page />
    </QueryClientProvider>,
  );
  return screen.getByRole('textbox', { name: 'Message' });
}

test('Enter sends', async () => {
  await userEvent.type(show(' hello'), '{Enter}');
  expect(onSend).toHaveBeenCalledExactlyOnceWith('hello');
});

test('Shift+Enter makes a new line', async () => {
  const field = show('');
  await userEvent.type(field, 'a{Shift>}{Enter}{/Shift}b');
  expect(field).toHaveValue('a\nb');
  expect(onSend).not.toHaveBeenCalled();
});

test('Enter that chooses a candidate while composing Chinese does not send', () => {
  const field = show('ni hao');
  fireEvent.compositionStart(field);
  const enter = createEvent.keyDown(field, { key: 'Enter', isComposing: true });
  fireEvent(field, enter);
  expect(onSend).not.toHaveBeenCalled();
  expect(enter.defaultPrevented).toBe(false);
});

test('nor does the Enter with key code 229 that Safari gives after the composition', () => {
  const field = show('ni hao');
  fireEvent.compositionStart(field);
  fireEvent.compositionEnd(field);
  fireEvent.keyDown(field, { key: 'Enter', keyCode: 229, isComposing: false });
  expect(onSend).not.toHaveBeenCalled();
});

test('the Enter after the composition sends', () => {
  const field = show('你好');
  fireEvent.compositionStart(field);
  fireEvent.compositionEnd(field);
  fireEvent.keyDown(field, { key: 'Enter', keyCode: 13 });
  expect(onSend).toHaveBeenCalledExactlyOnceWith('你好');
});

test('while an answer is written, Escape stops it and Enter keeps the text', async () => {
  const field = show('next', { running: true });
  await userEvent.type(field, '{Enter}');
  expect(onSend).not.toHaveBeenCalled();
  expect(field).toHaveValue('next');
  await userEvent.type(field, '{Escape}');
  expect(onStop).toHaveBeenCalledOnce();
  expect(screen.queryByRole('button', { name: 'Send' })).toBeNull();
});

test('nothing but blanks cannot be sent', async () => {
  await userEvent.type(show('  '), '{Enter}');
  expect(onSend).not.toHaveBeenCalled();
  expect(screen.getByRole('button', { name: 'Send' })).toBeDisabled();
});

test('a text that is too long says by how much', () => {
  show('x'.repeat(23));
  expect(screen.getByRole('alert')).toHaveTextContent('3 characters too many');
  expect(screen.getByRole('button', { name: 'Send' })).toBeDisabled();
});

test('a refused question keeps its text and says what to do', () => {
  const field = show('hello', { error: new ApiError(429, 'concurrency_limit', 'x') });
  expect(field).toHaveValue('hello');
  expect(screen.getByRole('alert')).toHaveTextContent('Wait for one to finish');
});

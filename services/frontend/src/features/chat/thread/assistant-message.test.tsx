import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { expect, test, vi } from 'vitest';

import type { Message } from '@/api/types';
import en from '@/i18n/en.json';
import { message } from '@/test/messages';

import type { FollowOptions } from '../runs/follow-run';
import { RunRegistry } from '../runs/run-registry';
import { RunsContext } from '../runs/use-run';
import { AssistantMessage } from './assistant-message';

const onRegenerate = vi.fn();

function show(answer: Message) {
  let follow: FollowOptions | undefined;
  const registry = new RunRegistry({
    onFinal: vi.fn(),
    onLost: vi.fn(),
    follow: (options) => {
      follow = options;
      return new Promise(() => undefined);
    },
  });
  render(
    <RunsContext value={registry}>
      <AssistantMessage
        message={answer}
        index={1}
        count={1}
        previousId={null}
        nextId={null}
        onSelect={vi.fn()}
        onRegenerate={onRegenerate}
      />
    </RunsContext>,
  );
  const emit = (...event: Parameters<FollowOptions['onEvent']>) =>
    act(async () => {
      follow?.onEvent(...event);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    });
  return { article: screen.getByRole('article'), emit, followed: () => follow };
}

const live = message('a', {
  role: 'assistant',
  status: 'queued',
  run_id: 'r',
  content: '',
});

test('a finished answer is not followed', () => {
  const { followed } = show(message('a', { role: 'assistant', run_id: 'r' }));
  expect(followed()).toBeUndefined();
});

test('an answer found unfinished is followed to its end', async () => {
  const { article, emit } = show(live);
  expect(article).toHaveAttribute('data-status', 'queued');
  await emit({ name: 'queued', data: { position: 3 } }, 1);
  expect(article).toHaveTextContent('Waiting in line: number 3');
  await emit({ name: 'delta', data: { message_id: 'a', text: 'Pa' } }, 2);
  expect(article).toHaveAttribute('data-status', 'streaming');
  await emit({ name: 'delta', data: { message_id: 'a', text: 'ris' } }, 3);
  expect(article).toHaveTextContent('Paris');
  const usage = { prompt_tokens: 9, completion_tokens: 2 };
  const final = { ...live, status: 'complete', content: 'Paris.', usage } as const;
  await emit({ name: 'done', data: { message: final } }, 4);
  expect(article).toHaveAttribute('data-status', 'complete');
  expect(article).toHaveTextContent('Paris.');
  expect(article).toHaveTextContent('9 tokens read, 2 written');
});

const failed = (code: string) =>
  message('a', {
    role: 'assistant',
    status: 'failed',
    error: { code, message: 'as written by the server' },
  });

test.each(Object.entries(en.answerErrors))('a failure with %s says what to do', (code, remedy) => {
  show(failed(code));
  expect(screen.getByRole('alert')).toHaveTextContent(remedy);
});

test('a failure of a kind not known here still says what to do, with the cause', () => {
  show(failed('never_heard_of'));
  expect(screen.getByRole('alert')).toHaveTextContent(en.answerErrors.unknown);
  expect(screen.getByRole('alert')).toHaveTextContent('as written by the server');
});

test('the remedy is in the language of the page and its button is there', async () => {
  await act(() => i18next.changeLanguage('zh-CN'));
  show(failed('interrupted'));
  expect(screen.getByRole('alert')).toHaveTextContent('重新生成');
  await userEvent.click(screen.getByRole('button', { name: '重新生成' }));
  expect(onRegenerate).toHaveBeenCalledExactlyOnceWith('a');
});

test('a stopped answer keeps its text and says so', () => {
  const { article } = show(message('a', { role: 'assistant', status: 'stopped', content: 'Half' }));
  expect(article).toHaveTextContent('Half');
  expect(article).toHaveTextContent('Stopped.');
});

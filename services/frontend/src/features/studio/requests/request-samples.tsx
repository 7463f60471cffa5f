import { Link } from '@tanstack/react-router';
import { Tabs } from 'radix-ui';
import { useTranslation } from 'react-i18next';

import type { Parameters } from '@/api/tasks';
import type { TaskName } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { Section } from '@/components/section';

import { sampleNames, tasks } from '../tasks';
import { curlOf, pythonOf, type Sent } from './snippets';

interface RequestSamplesProps {
  task: TaskName;
  /** What was chosen or typed; a name of our own stands for nothing. */
  input: { file: string } | { text: string };
  /** What kind of file it is, where the result is one of the same kind. */
  media: 'audio' | 'image' | 'video';
  parameters: Parameters;
}

/** The request that the page would send, for a terminal and for a program. */
export function RequestSamples({ task, input, media, parameters }: RequestSamplesProps) {
  const { t } = useTranslation();
  const { input: kind, saveAs } = tasks[task];
  const sent: Sent = {
    task,
    input:
      'text' in input
        ? { text: input.text || t('studio.request.someText') }
        : { file: input.file || sampleNames[kind] },
    parameters,
    saveAs: saveAs[media] ?? null,
  };
  const samples = [
    { id: 'curl', name: 'curl', text: curlOf(sent, location.origin) },
    { id: 'python', name: 'Python', text: pythonOf(sent, location.origin) },
  ];
  return (
    <Section title={t('studio.request.title')} text={t('studio.request.text')}>
      <Tabs.Root defaultValue="curl" className="grid min-w-0 gap-3">
        <Tabs.List className="flex gap-1" aria-label={t('studio.request.title')}>
          {samples.map(({ id, name }) => (
            <Tabs.Trigger
              key={id}
              value={id}
              className="h-8 rounded-lg px-3 text-sm font-medium text-muted hover:bg-hover data-[state=active]:bg-hover data-[state=active]:text-foreground"
            >
              {name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {samples.map(({ id, name, text }) => (
          <Tabs.Content key={id} value={id} tabIndex={-1} className="relative min-w-0">
            {/* A long line scrolls; a scrolling area must be reachable by keyboard. */}
            <pre
              // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
              tabIndex={0}
              className="overflow-x-auto rounded-xl border border-border bg-code p-4 font-mono text-xs leading-relaxed"
            >
              {text}
            </pre>
            {/* Beside the tabs: on a narrow screen it would cover the text. */}
            <span className="absolute -top-11 right-0">
              <CopyButton label={t('studio.request.copy', { name })} text={() => text} />
            </span>
          </Tabs.Content>
        ))}
        <p className="text-sm text-muted">
          {t('studio.request.key')}{' '}
          <Link to="/account" className="text-primary underline underline-offset-2">
            {t('studio.request.account')}
          </Link>
        </p>
      </Tabs.Root>
    </Section>
  );
}

import { useQuery } from '@tanstack/react-query';
import { ArrowUp, Square } from 'lucide-react';
import type { KeyboardEvent, Ref } from 'react';
import { useEffect, useImperativeHandle } from 'react';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { configQuery } from '@/features/auth/session';
import { errorText } from '@/lib/error-text';

import { isComposing } from './composition';
import { useAutosize } from './use-autosize';

export interface ComposerHandle {
  focus: () => void;
}

interface ComposerProps {
  text: string;
  onTextChange: (text: string) => void;
  onSend: (text: string) => void;
  /** The question is on its way to the server. */
  sending: boolean;
  /** Stops the answer being written; null when there is none. */
  onStop: (() => void) | null;
  stopping?: boolean;
  error: Error | null;
  ref?: Ref<ComposerHandle>;
}

/** On a touch screen the keyboard would cover the page at once. */
const hasKeyboard = () => window.matchMedia('(hover: hover)').matches;

/** Where questions are written. What was typed stays until the server has taken it. */
export function Composer({
  text,
  onTextChange,
  onSend,
  sending,
  onStop,
  stopping = false,
  error,
  ref,
}: ComposerProps) {
  const { t } = useTranslation();
  const { data: config } = useQuery(configQuery);
  const field = useAutosize(text);
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }));
  useEffect(() => {
    if (hasKeyboard()) field.current?.focus();
  }, [field]);

  const excess = config === undefined ? 0 : text.length - config.max_message_chars;
  const sendable = text.trim() !== '' && excess <= 0 && !sending && onStop === null;

  const send = () => {
    if (sendable) onSend(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && onStop !== null) {
      event.preventDefault();
      onStop();
    }
  };

  return (
    <form
      className="mx-auto grid w-full max-w-3xl gap-2 px-4 pb-[calc(0.75rem+env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {error !== null && <Alert>{errorText(error, t)}</Alert>}
      {excess > 0 && <Alert>{t('chat.tooLong', { count: excess })}</Alert>}
      <div className="flex items-end gap-2 rounded-2xl border border-control bg-surface p-2 shadow-sm focus-within:border-ring focus-within:ring-1 focus-within:ring-ring">
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={t('chat.message')}
          aria-describedby="composer-hint"
          placeholder={t('chat.placeholder')}
          className="max-h-[40dvh] min-h-10 flex-1 resize-none bg-transparent px-2 py-2 text-base placeholder:text-muted focus:outline-none"
          onChange={(event) => onTextChange(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {onStop === null ? (
          <Button
            type="submit"
            size="icon"
            className="rounded-xl"
            aria-label={t('chat.send')}
            title={t('chat.send')}
            disabled={!sendable}
          >
            {sending ? <Spinner /> : <ArrowUp className="size-5" aria-hidden />}
          </Button>
        ) : (
          <Button
            size="icon"
            className="rounded-xl"
            aria-label={t('chat.stop')}
            title={t('chat.stop')}
            aria-disabled={stopping}
            onClick={onStop}
          >
            {stopping ? <Spinner /> : <Square className="size-4 fill-current" aria-hidden />}
          </Button>
        )}
      </div>
      <p id="composer-hint" className="hidden text-center text-xs text-muted sm:block">
        {t('chat.composerHint')}
      </p>
    </form>
  );
}

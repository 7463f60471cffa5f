import type { KeyboardEvent } from 'react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { isComposing } from '../composer/composition';
import { useAutosize } from '../composer/use-autosize';

interface QuestionEditorProps {
  content: string;
  onSend: (content: string) => Promise<unknown>;
  onClose: () => void;
}

/** Rewrites a question; sending it opens a branch, the old one stays. */
export function QuestionEditor({ content, onSend, onClose }: QuestionEditorProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(content);
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const field = useAutosize(text);
  useEffect(() => field.current?.focus(), [field]);

  const send = async () => {
    if (text.trim() === '' || sending) return;
    setSending(true);
    setError(null);
    try {
      await onSend(text.trim());
      onClose();
    } catch (failure) {
      setError(failure);
      setSending(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  };

  return (
    <div className="grid w-full gap-2 rounded-2xl border border-control bg-surface p-3">
      {error !== null && <Alert>{errorText(error, t)}</Alert>}
      <textarea
        ref={field}
        value={text}
        rows={1}
        aria-label={t('chat.editLabel')}
        className="max-h-[40dvh] resize-none bg-transparent px-1 text-base focus:outline-none"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="flex justify-end gap-2">
        <Button variant="outline" size="small" onClick={onClose}>
          {t('app.cancel')}
        </Button>
        <Button size="small" aria-disabled={sending} onClick={() => void send()}>
          {sending && <Spinner />}
          {t('chat.editSend')}
        </Button>
      </div>
    </div>
  );
}

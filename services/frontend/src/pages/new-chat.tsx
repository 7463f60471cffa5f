import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { Logo } from '@/components/logo';
import { ChatHeader } from '@/features/chat/chat-header';
import { Composer, type ComposerHandle } from '@/features/chat/composer/composer';
import { useNewModelChoice } from '@/features/chat/models/use-model-choice';
import { useDraft } from '@/features/chat/use-draft';
import { useStartConversation } from '@/features/chat/use-start-conversation';
import { useTitle } from '@/lib/use-title';

/** A conversation before its first question. */
export function NewChatPage() {
  const { t } = useTranslation();
  useTitle(t('chat.newChat'));
  const [draft, setDraft] = useDraft(null);
  const choice = useNewModelChoice();
  const start = useStartConversation(() => setDraft(''));
  const composer = useRef<ComposerHandle>(null);
  // A connected server may be anywhere.
  const local = choice.models?.find(({ id }) => id === choice.model)?.source === 'local';
  const suggestions = [
    t('chat.suggestions.explain'),
    t('chat.suggestions.write'),
    t('chat.suggestions.code'),
  ];

  return (
    <>
      <ChatHeader title={t('chat.newChat')} choice={choice} />
      <div className="grid min-h-0 flex-1 place-content-center gap-6 overflow-y-auto p-4 text-center">
        <div className="grid justify-items-center gap-3">
          <Logo className="size-16" />
          <h2 className="text-2xl font-semibold tracking-tight">{t('chat.greeting')}</h2>
          {local && <p className="text-muted">{t('chat.greetingHint')}</p>}
        </div>
        <div className="mx-auto grid max-w-3xl gap-2 md:grid-cols-3">
          {suggestions.map((suggestion) => (
            <button
              key={suggestion}
              type="button"
              className="rounded-xl border border-border bg-surface p-3 text-left text-sm transition-colors hover:border-control hover:bg-hover"
              onClick={() => {
                setDraft(suggestion);
                composer.current?.focus();
              }}
            >
              {suggestion}
            </button>
          ))}
        </div>
      </div>
      <Composer
        ref={composer}
        text={draft}
        onTextChange={setDraft}
        onSend={(content) => start.mutate({ content, model: choice.chosen })}
        sending={start.isPending}
        onStop={null}
        error={start.error}
      />
    </>
  );
}

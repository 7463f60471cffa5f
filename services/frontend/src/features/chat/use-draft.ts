import { useCallback, useState } from 'react';

import { tabStore } from '@/lib/storage';

const prefix = 'atoll.draft.';
const keyOf = (conversationId: string | null) => `${prefix}${conversationId ?? 'new'}`;

/** For signing out: the next person at this tab may not see them. */
export function forgetDrafts(): void {
  tabStore.forget(prefix);
}

/** The unsent text of a conversation (null: of the next new one); survives a reload of the tab. */
export function useDraft(conversationId: string | null): [string, (text: string) => void] {
  const key = keyOf(conversationId);
  const [draft, setDraft] = useState(() => tabStore.read(key) ?? '');
  const change = useCallback(
    (text: string) => {
      setDraft(text);
      tabStore.write(key, text);
    },
    [key],
  );
  return [draft, change];
}

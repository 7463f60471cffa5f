import { useInfiniteQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';
import { formatMonth } from '@/lib/format';
import { useDebounced } from '@/lib/use-debounced';
import { useVisible } from '@/lib/use-visible';

import { conversationsQuery } from '../queries';
import { ConversationRow } from './conversation-row';
import { groupByDay } from './group-by-day';

/** The stored conversations, newest activity first, with a search in their titles. */
export function ConversationList({ onOpen }: { onOpen: () => void }) {
  const { t, i18n } = useTranslation();
  const { conversationId } = useParams({ strict: false });
  const [search, setSearch] = useState('');
  const query = useDebounced(search.trim(), 250);
  const list = useInfiniteQuery({ ...conversationsQuery(query), placeholderData: (old) => old });
  const more = useVisible<HTMLDivElement>(() => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
  });

  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const groups = groupByDay(items, new Date());
  const heading = (bucket: (typeof groups)[number]['bucket'], key: string) =>
    bucket === 'month' ? formatMonth(key, i18n.language) : t(`chat.${bucket}`);

  return (
    <nav aria-label={t('chat.conversations')} className="flex min-h-0 flex-1 flex-col gap-2">
      <div className="relative px-3">
        <Search
          className="pointer-events-none absolute top-2.5 left-6 size-4 text-muted"
          aria-hidden
        />
        <input
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          aria-label={t('chat.search')}
          placeholder={t('chat.search')}
          className="h-9 w-full rounded-lg border border-control bg-surface pr-2 pl-9 text-base placeholder:text-muted sm:text-sm"
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-3 pb-3">
        {list.isError && <Alert>{errorText(list.error, t)}</Alert>}
        {groups.map((group) => (
          <section
            key={group.key}
            aria-labelledby={`group-${group.key}`}
            className="mt-3 first:mt-1"
          >
            <h2
              id={`group-${group.key}`}
              className="px-3 pb-1 text-xs font-medium text-muted first-letter:uppercase"
            >
              {heading(group.bucket, group.key)}
            </h2>
            <ul>
              {group.items.map((conversation) => (
                <ConversationRow
                  key={conversation.id}
                  conversation={conversation}
                  active={conversation.id === conversationId}
                  onOpen={onOpen}
                />
              ))}
            </ul>
          </section>
        ))}
        {list.isSuccess && items.length === 0 && (
          <p className="px-3 py-4 text-sm text-muted" role="status">
            {query === '' ? t('chat.noConversations') : t('chat.noMatches', { query })}
          </p>
        )}
        {list.isPending && <Spinner className="mx-auto my-6" />}
        <div ref={more} className="flex justify-center pt-1">
          {list.hasNextPage && (
            <Button
              variant="quiet"
              size="small"
              aria-disabled={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {list.isFetchingNextPage && <Spinner />}
              {t('chat.loadMore')}
            </Button>
          )}
        </div>
      </div>
    </nav>
  );
}

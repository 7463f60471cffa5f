import { Link } from '@tanstack/react-router';
import { SquarePen } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { AppNav } from '@/components/app-nav';
import { Brand } from '@/components/brand';
import { Button } from '@/components/ui/button';
import { UserMenu } from '@/features/auth/user-menu';

import { ConversationList } from './conversations/conversation-list';

/** The left column, and on a phone the drawer: new chat, conversations, user. */
export function Sidebar({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 pt-3">
      <Brand />
      <AppNav onOpen={onOpen} />
      <div className="px-3">
        <Button asChild className="w-full">
          {/* It acts on this page, as a button would; Link keeps "open in a new tab". */}
          <Link to="/chat" onClick={onOpen} role="button">
            <SquarePen className="size-4" aria-hidden /> {t('chat.newChat')}
          </Link>
        </Button>
      </div>
      <ConversationList onOpen={onOpen} />
      <div className="border-t border-border p-2">
        <UserMenu />
      </div>
    </div>
  );
}

import { Link } from '@tanstack/react-router';
import { Menu as MenuIcon, SquarePen } from 'lucide-react';
import { use } from 'react';
import { useTranslation } from 'react-i18next';

import { DrawerContext } from '@/components/drawer-context';
import { Button } from '@/components/ui/button';

import { ModelPicker } from './models/model-picker';
import type { ModelChoice } from './models/use-model-choice';

interface ChatHeaderProps {
  /** Empty until it is known. */
  title: string;
  choice: ModelChoice;
}

/** Above the messages: the drawer's button on a phone, who answers, and what it is about. */
export function ChatHeader({ title, choice }: ChatHeaderProps) {
  const { t } = useTranslation();
  const openDrawer = use(DrawerContext);
  return (
    <header className="flex items-center gap-1 border-b border-border px-2 pt-[calc(0.5rem+env(safe-area-inset-top))] pb-2 md:px-4">
      <Button
        variant="ghost"
        size="icon"
        className="md:hidden"
        aria-label={t('chat.openList')}
        onClick={openDrawer}
      >
        <MenuIcon className="size-5" aria-hidden />
      </Button>
      <ModelPicker models={choice.models} model={choice.model} choose={choice.choose} />
      <h1 className="min-w-0 flex-1 truncate text-right text-sm text-muted max-md:sr-only">
        {title || t('chat.title')}
      </h1>
      <span className="flex-1 md:hidden" />
      <Button asChild variant="ghost" size="icon" className="md:hidden">
        <Link to="/chat" role="button" aria-label={t('chat.newChat')}>
          <SquarePen className="size-5" aria-hidden />
        </Link>
      </Button>
    </header>
  );
}

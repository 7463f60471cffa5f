import { Link } from '@tanstack/react-router';
import { BookOpen, ChevronsUpDown, LogOut, UserRound } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { LanguageItems, ThemeItems } from '@/components/preference-items';
import { Button } from '@/components/ui/button';
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from '@/components/ui/menu';
import { forgetDrafts } from '@/features/chat/use-draft';
import { errorText } from '@/lib/error-text';
import { toasts } from '@/lib/toasts';

import { useSignOut, useUser } from './session';

/** Account, preferences and signing out, behind the user's name. */
export function UserMenu() {
  const { t } = useTranslation();
  const user = useUser();
  const signOut = useSignOut();
  const leave = () => {
    signOut().then(forgetDrafts, (error: unknown) => toasts.show(errorText(error, t), 'danger'));
  };
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button
          variant="ghost"
          className="h-12 w-full justify-start px-2"
          aria-label={t('menu.user', { name: user.username })}
        >
          <span
            className="grid size-8 place-items-center rounded-full bg-primary text-sm font-semibold text-primary-foreground uppercase"
            aria-hidden
          >
            {String.fromCodePoint(user.username.codePointAt(0) ?? 0x3f)}
          </span>
          <span className="min-w-0 flex-1 truncate text-left">{user.username}</span>
          <ChevronsUpDown className="size-4 text-muted" aria-hidden />
        </Button>
      </MenuTrigger>
      <MenuContent align="start" side="top" className="w-60">
        <MenuItem asChild>
          <Link to="/account">
            <UserRound className="size-4" aria-hidden /> {t('menu.account')}
          </Link>
        </MenuItem>
        <MenuItem asChild>
          <a href="/docs">
            <BookOpen className="size-4" aria-hidden /> {t('menu.apiDocs')}
          </a>
        </MenuItem>
        <MenuSeparator />
        <ThemeItems />
        <MenuSeparator />
        <LanguageItems />
        <MenuSeparator />
        <MenuItem onSelect={leave}>
          <LogOut className="size-4" aria-hidden /> {t('menu.signOut')}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

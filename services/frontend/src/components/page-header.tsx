import { Menu as MenuIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { use } from 'react';
import { useTranslation } from 'react-i18next';

import { DrawerContext } from './drawer-context';
import { Button } from './ui/button';

interface PageHeaderProps {
  title: string;
  text: string;
  /** Stands at the right of the title. */
  aside?: ReactNode;
}

/** The top of a page beside the left column; on a phone with the button that opens it. */
export function PageHeader({ title, text, aside }: PageHeaderProps) {
  const { t } = useTranslation();
  const openDrawer = use(DrawerContext);
  return (
    <header className="grid gap-1">
      <Button
        variant="ghost"
        size="icon"
        className="-ml-2 md:hidden"
        aria-label={t('nav.open')}
        onClick={openDrawer}
      >
        <MenuIcon className="size-5" aria-hidden />
      </Button>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        {aside}
      </div>
      <p className="max-w-2xl text-muted">{text}</p>
    </header>
  );
}

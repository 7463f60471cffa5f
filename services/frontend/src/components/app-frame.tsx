import type { ReactNode } from 'react';
import { useCallback, useState } from 'react';

import { useMediaQuery } from '@/lib/use-media-query';

import { DrawerContext } from './drawer-context';
import { MainArea } from './main-area';
import { Drawer } from './ui/drawer';

interface AppFrameProps {
  /** Name of the left column. */
  label: string;
  /** The left column; `onOpen` is to be called when something in it was opened. */
  sidebar: (onOpen: () => void) => ReactNode;
  children: ReactNode;
}

/** The frame of the pages: a column on the left from 768 px, in a drawer below that. */
export function AppFrame({ label, sidebar, children }: AppFrameProps) {
  const wide = useMediaQuery('(min-width: 48rem)');
  const [open, setOpen] = useState(false);
  const openDrawer = useCallback(() => setOpen(true), []);
  const closeDrawer = useCallback(() => setOpen(false), []);
  return (
    <DrawerContext value={openDrawer}>
      <div className="flex h-dvh">
        {wide ? (
          <aside
            aria-label={label}
            className="flex w-72 shrink-0 flex-col border-r border-border bg-sidebar"
          >
            {sidebar(closeDrawer)}
          </aside>
        ) : (
          <Drawer open={open} onOpenChange={setOpen} title={label}>
            {sidebar(closeDrawer)}
          </Drawer>
        )}
        <MainArea className="flex min-w-0 flex-1 flex-col">{children}</MainArea>
      </div>
    </DrawerContext>
  );
}

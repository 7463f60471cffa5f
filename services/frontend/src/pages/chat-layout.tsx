import { Outlet } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { MainArea } from '@/components/main-area';
import { Drawer } from '@/components/ui/drawer';
import { DrawerContext } from '@/features/chat/drawer-context';
import { RunsProvider } from '@/features/chat/runs/runs-provider';
import { Sidebar } from '@/features/chat/sidebar';
import { useMediaQuery } from '@/lib/use-media-query';

/** The frame of the chat: list on the left from 768 px, in a drawer below that. */
export function ChatLayout() {
  const { t } = useTranslation();
  const wide = useMediaQuery('(min-width: 48rem)');
  const [open, setOpen] = useState(false);
  const openDrawer = useCallback(() => setOpen(true), []);
  const closeDrawer = useCallback(() => setOpen(false), []);
  return (
    <RunsProvider>
      <DrawerContext value={openDrawer}>
        <div className="flex h-dvh">
          {wide ? (
            <aside
              aria-label={t('chat.conversations')}
              className="flex w-72 shrink-0 flex-col border-r border-border bg-sidebar"
            >
              <Sidebar onOpen={closeDrawer} />
            </aside>
          ) : (
            <Drawer open={open} onOpenChange={setOpen} title={t('chat.conversations')}>
              <Sidebar onOpen={closeDrawer} />
            </Drawer>
          )}
          <MainArea className="flex min-w-0 flex-1 flex-col">
            <Outlet />
          </MainArea>
        </div>
      </DrawerContext>
    </RunsProvider>
  );
}

import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { AppFrame } from '@/components/app-frame';
import { RunsProvider } from '@/features/chat/runs/runs-provider';
import { Sidebar } from '@/features/chat/sidebar';

/** The chat with its conversations. */
export function ChatLayout() {
  const { t } = useTranslation();
  return (
    <RunsProvider>
      <AppFrame label={t('chat.conversations')} sidebar={(onOpen) => <Sidebar onOpen={onOpen} />}>
        <Outlet />
      </AppFrame>
    </RunsProvider>
  );
}

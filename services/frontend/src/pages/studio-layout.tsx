import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { AppFrame } from '@/components/app-frame';
import { StudioSidebar } from '@/features/studio/sidebar';

/** Studio and models, with the tasks beside them. */
export function StudioLayout() {
  const { t } = useTranslation();
  return (
    <AppFrame label={t('studio.title')} sidebar={(onOpen) => <StudioSidebar onOpen={onOpen} />}>
      <Outlet />
    </AppFrame>
  );
}

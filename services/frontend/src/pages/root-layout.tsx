import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

export function RootLayout() {
  const { t } = useTranslation();
  return (
    <>
      <a
        href="#main"
        className="fixed top-2 left-2 z-70 -translate-y-20 rounded-lg bg-primary px-4 py-2 text-sm font-medium text-primary-foreground focus:translate-y-0"
      >
        {t('app.skip')}
      </a>
      <Outlet />
    </>
  );
}

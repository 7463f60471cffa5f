import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Logo } from '@/components/logo';
import { MainArea } from '@/components/main-area';
import { Button } from '@/components/ui/button';
import { useTitle } from '@/lib/use-title';

export function NotFoundPage() {
  const { t } = useTranslation();
  useTitle(t('app.notFoundTitle'));
  return (
    <MainArea className="grid min-h-[80dvh] flex-1 place-content-center gap-4 p-6 text-center">
      <Logo className="mx-auto size-14" />
      <h1 className="text-2xl font-semibold">{t('app.notFoundTitle')}</h1>
      <p className="max-w-md text-muted">{t('app.notFoundText')}</p>
      <Button asChild className="mx-auto">
        <Link to="/chat">{t('app.goToChat')}</Link>
      </Button>
    </MainArea>
  );
}

import { useTranslation } from 'react-i18next';

import { MainArea } from '@/components/main-area';
import { Spinner } from '@/components/ui/spinner';

export function LoadingPage() {
  const { t } = useTranslation();
  return (
    <MainArea className="grid min-h-40 flex-1 place-items-center p-8">
      <p className="flex items-center gap-2 text-muted" role="status">
        <Spinner /> {t('app.loading')}
      </p>
    </MainArea>
  );
}

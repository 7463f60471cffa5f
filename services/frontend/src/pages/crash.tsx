import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { ApiError } from '@/api/error';
import { MainArea } from '@/components/main-area';
import { Button } from '@/components/ui/button';
import { errorText } from '@/lib/error-text';

/** Shown when a page cannot be loaded or drawn. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const retry = () => {
    // A part of the program that did not arrive comes with the page, and not before.
    if (!(error instanceof ApiError)) location.reload();
    reset();
    void router.invalidate();
  };
  return (
    <MainArea className="grid min-h-[80dvh] flex-1 place-content-center gap-4 p-6 text-center">
      <h1 className="text-2xl font-semibold">{t('app.crashTitle')}</h1>
      <p className="max-w-md text-muted">
        {error instanceof ApiError ? errorText(error, t) : t('app.crashText')}
      </p>
      {!(error instanceof ApiError) && <code className="text-sm break-words">{String(error)}</code>}
      <Button className="mx-auto" onClick={retry}>
        {t('app.retry')}
      </Button>
    </MainArea>
  );
}

import { useTranslation } from 'react-i18next';

import { hasCode } from '@/api/error';
import { Alert } from '@/components/ui/alert';
import { serverText } from '@/lib/error-text';

/** Why there is no result, as the server tells it. Nothing for a request that was cancelled. */
export function RunError({ error }: { error: Error | null }) {
  const { t } = useTranslation();
  if (error === null || error.name === 'AbortError') return null;
  return (
    <Alert>
      {hasCode(error, 'model_not_installed') && <p>{t('studio.empty.title')}</p>}
      <p>{serverText(error, t)}</p>
    </Alert>
  );
}

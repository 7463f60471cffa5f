import { useTranslation } from 'react-i18next';

import { Logo } from './logo';

/** Mark and name, at the top of the left column. */
export function Brand() {
  const { t } = useTranslation();
  return (
    <div className="flex items-center gap-2.5 px-5 py-1">
      <Logo className="size-7" />
      <span className="text-lg font-semibold tracking-tight">{t('app.name')}</span>
    </div>
  );
}

import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { AuthCard } from '@/features/auth/auth-card';
import { PasswordForm } from '@/features/auth/password-form';

const route = getRouteApi('/signed-in/password');

/** Where everybody lands whose password was set by somebody else. */
export function PasswordPage() {
  const { t } = useTranslation();
  const { redirect } = route.useSearch();
  const { history } = useRouter();
  return (
    <AuthCard title={t('auth.forcedTitle')}>
      <p className="text-sm text-muted">{t('auth.forcedText')}</p>
      <PasswordForm onChanged={() => history.push(redirect ?? '/chat')} />
    </AuthCard>
  );
}

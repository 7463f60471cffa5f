import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { AuthCard } from '@/features/auth/auth-card';
import { LoginForm } from '@/features/auth/login-form';
import { configQuery, meQuery } from '@/features/auth/session';

const route = getRouteApi('/login');

export function LoginPage() {
  const { t } = useTranslation();
  const { redirect, reason } = route.useSearch();
  const { history } = useRouter();
  const queryClient = useQueryClient();
  const { data: config } = useQuery(configQuery);
  return (
    <AuthCard
      title={t('auth.signInTitle')}
      footer={
        config?.registration === 'closed' ? undefined : (
          <>
            {t('auth.noAccount')}{' '}
            <Link to="/register" className="font-medium text-primary underline underline-offset-2">
              {t('auth.createAccount')}
            </Link>
          </>
        )
      }
    >
      {reason === 'expired' && <Alert tone="notice">{t('auth.expired')}</Alert>}
      {reason === 'suspended' && <Alert>{t('errors.account_suspended')}</Alert>}
      {reason === 'pending' && <Alert tone="notice">{t('errors.account_pending')}</Alert>}
      <LoginForm
        onSignedIn={(envelope) => {
          queryClient.clear();
          queryClient.setQueryData(meQuery.queryKey, envelope);
          history.push(redirect ?? '/chat');
        }}
      />
    </AuthCard>
  );
}

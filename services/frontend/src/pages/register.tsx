import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { AuthCard } from '@/features/auth/auth-card';
import { RegisterForm } from '@/features/auth/register-form';
import { configQuery } from '@/features/auth/session';
import { errorText } from '@/lib/error-text';

export function RegisterPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const config = useQuery(configQuery);
  const [pending, setPending] = useState<string | null>(null);

  if (pending !== null) {
    return (
      <AuthCard title={t('auth.pendingTitle')}>
        <p role="status">{t('auth.pendingText', { name: pending })}</p>
        <Button asChild>
          <Link to="/login">{t('auth.backToSignIn')}</Link>
        </Button>
      </AuthCard>
    );
  }
  return (
    <AuthCard
      title={t('auth.createTitle')}
      footer={
        <>
          {t('auth.haveAccount')}{' '}
          <Link to="/login" className="font-medium text-primary underline underline-offset-2">
            {t('auth.signIn')}
          </Link>
        </>
      }
    >
      {config.isPending && <Spinner className="mx-auto" />}
      {config.isError && <Alert>{errorText(config.error, t)}</Alert>}
      {config.data?.registration === 'closed' && (
        <Alert tone="notice">{t('auth.registrationClosed')}</Alert>
      )}
      {config.data !== undefined && config.data.registration !== 'closed' && (
        <RegisterForm
          config={config.data}
          onPending={setPending}
          onSignedIn={() => void navigate({ to: '/chat' })}
        />
      )}
    </AuthCard>
  );
}

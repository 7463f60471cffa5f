import { Link } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { MainArea } from '@/components/main-area';
import { PreferenceButtons } from '@/components/preference-items';
import { Button } from '@/components/ui/button';
import { ApiKeysSection } from '@/features/account/api-keys-section';
import { PasswordSection } from '@/features/account/password-section';
import { SessionsSection } from '@/features/account/sessions-section';
import { useUser } from '@/features/auth/session';
import { useTitle } from '@/lib/use-title';

export function AccountPage() {
  const { t } = useTranslation();
  const user = useUser();
  useTitle(t('account.title'));
  return (
    <div className="mx-auto grid w-full max-w-3xl gap-6 px-4 pt-[calc(1rem+env(safe-area-inset-top))] pb-16">
      <header className="flex items-center justify-between">
        <Button asChild variant="quiet" className="-ml-3">
          <Link to="/chat">
            <ArrowLeft className="size-4" aria-hidden /> {t('account.back')}
          </Link>
        </Button>
        <PreferenceButtons />
      </header>
      <MainArea className="grid gap-6">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{t('account.title')}</h1>
          <p className="mt-1 text-muted">
            {t('account.signedInAs', { name: user.username })} ·{' '}
            {t(user.role === 'admin' ? 'account.roleAdmin' : 'account.roleUser')}
          </p>
        </div>
        <ApiKeysSection />
        <SessionsSection />
        <PasswordSection />
      </MainArea>
    </div>
  );
}

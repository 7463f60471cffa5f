import { useTranslation } from 'react-i18next';

import { Section } from '@/components/section';
import { PasswordForm } from '@/features/auth/password-form';
import { toasts } from '@/lib/toasts';

export function PasswordSection() {
  const { t } = useTranslation();
  return (
    <Section title={t('account.passwordTitle')} text={t('account.passwordText')}>
      <div className="max-w-md">
        <PasswordForm onChanged={() => toasts.show(t('account.passwordChanged'))} />
      </div>
    </Section>
  );
}

import { useMutation } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import type { Envelope } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { Input } from '@/components/ui/input';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { formFields } from './form-fields';
import { PasswordInput } from './password-input';

export function LoginForm({ onSignedIn }: { onSignedIn: (envelope: Envelope) => void }) {
  const { t } = useTranslation();
  const form = useRef<HTMLFormElement>(null);
  const login = useMutation({
    mutationFn: auth.login,
    onSuccess: onSignedIn,
    onError: () => form.current?.querySelector<HTMLInputElement>('[name=password]')?.select(),
  });

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const { username, password } = formFields(event.currentTarget, 'username', 'password');
    if (!login.isPending) login.mutate({ username: username.trim(), password });
  };

  return (
    <form ref={form} onSubmit={submit} className="grid gap-4">
      {login.isError && <Alert>{errorText(login.error, t)}</Alert>}
      <Field label={t('auth.username')}>
        {(control) => (
          <Input
            {...control}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            required
          />
        )}
      </Field>
      <Field label={t('auth.password')}>
        {(control) => (
          <PasswordInput {...control} name="password" autoComplete="current-password" required />
        )}
      </Field>
      <Button type="submit" className="h-11" aria-disabled={login.isPending}>
        {login.isPending && <Spinner />}
        {t('auth.signIn')}
      </Button>
    </form>
  );
}

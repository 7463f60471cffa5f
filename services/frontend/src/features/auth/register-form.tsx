import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import { hasCode } from '@/api/error';
import type { PublicConfig } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { Input } from '@/components/ui/input';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { formFields } from './form-fields';
import { PasswordInput } from './password-input';
import { configQuery, meQuery } from './session';

interface RegisterFormProps {
  config: PublicConfig;
  onPending: (username: string) => void;
  onSignedIn: () => void;
}

/** Makes an account; signs in at once when it needs no approval. */
export function RegisterForm({ config, onPending, onSignedIn }: RegisterFormProps) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const register = useMutation({
    mutationFn: async (credentials: { username: string; password: string }) => {
      const { status } = await auth.register(credentials);
      if (status === 'active')
        queryClient.setQueryData(meQuery.queryKey, await auth.login(credentials));
      return status;
    },
    onSuccess: (status, { username }) => (status === 'active' ? onSignedIn() : onPending(username)),
    onError: (error) => {
      if (hasCode(error, 'registration_closed')) void queryClient.invalidateQueries(configQuery);
    },
  });
  const { error } = register;
  const nameError = hasCode(error, 'username_taken', 'invalid_username')
    ? errorText(error, t)
    : undefined;
  const passwordError = hasCode(error, 'weak_password') ? errorText(error, t) : undefined;

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const { username, password } = formFields(event.currentTarget, 'username', 'password');
    if (!register.isPending) register.mutate({ username: username.trim(), password });
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      {error !== null && nameError === undefined && passwordError === undefined && (
        <Alert>{errorText(error, t)}</Alert>
      )}
      {config.registration === 'approval' && <Alert tone="notice">{t('auth.approvalNote')}</Alert>}
      <Field label={t('auth.username')} error={nameError}>
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
      <Field
        label={t('auth.password')}
        hint={t('auth.passwordRule', { count: config.password_min_length })}
        error={passwordError}
      >
        {(control) => (
          <PasswordInput
            {...control}
            name="password"
            autoComplete="new-password"
            minLength={config.password_min_length}
            required
          />
        )}
      </Field>
      <Button type="submit" className="h-11" aria-disabled={register.isPending}>
        {register.isPending && <Spinner />}
        {t('auth.createAccount')}
      </Button>
    </form>
  );
}

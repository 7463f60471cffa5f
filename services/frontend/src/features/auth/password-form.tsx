import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import { ApiError, hasCode } from '@/api/error';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { formFields } from './form-fields';
import { PasswordInput } from './password-input';
import { configQuery, meQuery, useUser } from './session';

/** Replaces the password; used by the forced change and by the account page. */
export function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const { t } = useTranslation();
  const user = useUser();
  const queryClient = useQueryClient();
  const { data: config } = useQuery(configQuery);
  const [differ, setDiffer] = useState(false);
  const change = useMutation({
    mutationFn: auth.changePassword,
    onSuccess: (envelope) => {
      queryClient.setQueryData(meQuery.queryKey, envelope);
      void queryClient.invalidateQueries({ queryKey: ['sessions'] });
      onChanged();
    },
  });
  const { error } = change;
  const wrong = hasCode(error, 'invalid_credentials', 'wrong_password');
  const weak = error instanceof ApiError && error.status === 422;
  const minLength = config?.password_min_length;

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { current, next, repeat } = formFields(form, 'current', 'next', 'repeat');
    setDiffer(next !== repeat);
    if (next !== repeat || change.isPending) return;
    change.mutate(
      { current_password: current, new_password: next },
      { onSuccess: () => form.reset() },
    );
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      {error !== null && !wrong && !weak && <Alert>{errorText(error, t)}</Alert>}
      <input type="hidden" name="username" autoComplete="username" value={user.username} />
      <Field
        label={t('auth.currentPassword')}
        error={wrong ? t('errors.wrong_password') : undefined}
      >
        {(control) => (
          <PasswordInput {...control} name="current" autoComplete="current-password" required />
        )}
      </Field>
      <Field
        label={t('auth.newPassword')}
        hint={minLength === undefined ? undefined : t('auth.passwordRule', { count: minLength })}
        error={weak ? errorText(error, t) : undefined}
      >
        {(control) => (
          <PasswordInput
            {...control}
            name="next"
            autoComplete="new-password"
            minLength={minLength}
            required
          />
        )}
      </Field>
      <Field
        label={t('auth.repeatPassword')}
        error={differ ? t('auth.passwordsDiffer') : undefined}
      >
        {(control) => (
          <PasswordInput {...control} name="repeat" autoComplete="new-password" required />
        )}
      </Field>
      <Button type="submit" className="h-11 justify-self-start" aria-disabled={change.isPending}>
        {change.isPending && <Spinner />}
        {t('auth.changePassword')}
      </Button>
    </form>
  );
}

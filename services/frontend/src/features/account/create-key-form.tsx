import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import type { SubmitEvent } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import type { NewApiKey, Scope } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { Input, NativeSelect } from '@/components/ui/input';
import { Spinner } from '@/components/ui/spinner';
import { formFields } from '@/features/auth/form-fields';
import { useUser } from '@/features/auth/session';
import { errorText } from '@/lib/error-text';

import { apiKeysQuery } from './queries';

const lifetimes = [30, 90, 365];

export function CreateKeyForm({ onCreated }: { onCreated: (key: NewApiKey) => void }) {
  const { t } = useTranslation();
  const user = useUser();
  const queryClient = useQueryClient();
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(['inference', 'conversations']));
  const [missingScope, setMissingScope] = useState(false);
  const create = useMutation({
    mutationFn: auth.createApiKey,
    onSuccess: (key) => {
      void queryClient.invalidateQueries(apiKeysQuery);
      onCreated(key);
    },
  });
  const offered: Scope[] = ['inference', 'conversations'];
  if (user.role === 'admin') offered.push('admin');

  const toggle = (scope: Scope, on: boolean) => {
    const next = new Set(scopes);
    if (on) next.add(scope);
    else next.delete(scope);
    setScopes(next);
    setMissingScope(false);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setMissingScope(scopes.size === 0);
    if (scopes.size === 0 || create.isPending) return;
    const form = event.currentTarget;
    const { name, days } = formFields(form, 'name', 'days');
    create.mutate(
      {
        name: name.trim(),
        scopes: [...scopes],
        ...(days !== '' && { expires_in_days: Number(days) }),
      },
      { onSuccess: () => form.reset() },
    );
  };

  return (
    <form onSubmit={submit} className="grid gap-4 rounded-xl bg-code p-4">
      {create.isError && <Alert>{errorText(create.error, t)}</Alert>}
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <Field label={t('account.keyName')} hint={t('account.keyNameHint')}>
          {(control) => (
            <Input {...control} name="name" maxLength={100} autoComplete="off" required />
          )}
        </Field>
        <Field label={t('account.keyExpiry')}>
          {(control) => (
            <NativeSelect {...control} name="days" defaultValue="">
              <option value="">{t('account.never')}</option>
              {lifetimes.map((days) => (
                <option key={days} value={days}>
                  {t('account.days', { count: days })}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
      </div>
      <fieldset className="flex flex-wrap gap-x-5 gap-y-1">
        <legend className="mb-1 text-sm font-medium">{t('account.keyScopes')}</legend>
        {offered.map((scope) => (
          <label key={scope} className="flex min-h-8 items-center gap-2.5 text-sm">
            <input
              type="checkbox"
              className="size-4 accent-primary"
              checked={scopes.has(scope)}
              onChange={(event) => toggle(scope, event.target.checked)}
            />
            {t(`account.scope.${scope}`)}
          </label>
        ))}
      </fieldset>
      {missingScope && (
        <p role="alert" className="text-sm text-danger">
          {t('account.scopeNeeded')}
        </p>
      )}
      <Button type="submit" className="justify-self-start" aria-disabled={create.isPending}>
        {create.isPending ? <Spinner /> : <Plus className="size-4" aria-hidden />}
        {t('account.createKey')}
      </Button>
    </form>
  );
}

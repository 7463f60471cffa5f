import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import type { ApiKey, NewApiKey } from '@/api/types';
import { Section } from '@/components/section';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';
import { formatDate } from '@/lib/format';
import { toasts } from '@/lib/toasts';

import { CreateKeyForm } from './create-key-form';
import { NewKeyDialog } from './new-key-dialog';
import { apiKeysQuery } from './queries';

export function ApiKeysSection() {
  const { t, i18n } = useTranslation();
  const queryClient = useQueryClient();
  const [created, setCreated] = useState<NewApiKey | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const keys = useQuery(apiKeysQuery);
  const revoke = useMutation({
    mutationFn: auth.revokeApiKey,
    onSuccess: () => {
      toasts.show(t('account.keyRevoked'));
      return queryClient.invalidateQueries(apiKeysQuery);
    },
    onError: (error) => toasts.show(errorText(error, t), 'danger'),
  });

  const details = (key: ApiKey) => {
    const date = (iso: string) => formatDate(iso, i18n.language);
    return [
      t('account.created', { date: date(key.created_at) }),
      key.last_used_at === null
        ? t('account.neverUsed')
        : t('account.lastUsed', { date: date(key.last_used_at) }),
      key.expires_at === null ? null : t('account.validUntil', { date: date(key.expires_at) }),
      key.scopes.map((scope) => t(`account.scope.${scope}`)).join(', '),
    ]
      .filter((part) => part !== null)
      .join(' · ');
  };

  return (
    <Section title={t('account.keysTitle')} text={t('account.keysText')}>
      {keys.isPending && <Spinner />}
      {keys.isError && <Alert>{errorText(keys.error, t)}</Alert>}
      {keys.data?.length === 0 && <p className="text-sm text-muted">{t('account.noKeys')}</p>}
      {keys.data !== undefined && keys.data.length > 0 && (
        <ul className="divide-y divide-border">
          {keys.data.map((key) => (
            <li key={key.id} className="flex items-center justify-between gap-3 py-3">
              <div className="min-w-0">
                <p className="font-medium break-words">
                  {key.name}{' '}
                  <code className="rounded bg-code px-1.5 py-0.5 font-mono text-xs font-normal">
                    {key.prefix}…
                  </code>
                </p>
                <p className="text-sm text-muted">{details(key)}</p>
              </div>
              <Button
                variant="outline"
                size="small"
                aria-label={t('account.revokeKey', { name: key.name })}
                onClick={() => setRevoking(key)}
              >
                {t('account.revoke')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <CreateKeyForm onCreated={setCreated} />
      <NewKeyDialog created={created} onClose={() => setCreated(null)} />
      <ConfirmDialog
        open={revoking !== null}
        onOpenChange={() => setRevoking(null)}
        title={t('account.revokeKeyTitle')}
        text={t('account.revokeKeyText', { name: revoking?.name ?? '' })}
        action={t('account.revoke')}
        onConfirm={() => {
          if (revoking !== null) revoke.mutate(revoking.id);
        }}
      />
    </Section>
  );
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { auth } from '@/api/auth';
import type { BrowserSession } from '@/api/types';
import { Section } from '@/components/section';
import { Alert } from '@/components/ui/alert';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';
import { formatDateTime } from '@/lib/format';
import { toasts } from '@/lib/toasts';

import { sessionsQuery } from './queries';
import { describeUserAgent } from './user-agent';

export function SessionsSection() {
  const { t, i18n } = useTranslation();
  const queryClient = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const ended = {
    onSuccess: () => {
      toasts.show(t('account.sessionRevoked'));
      return queryClient.invalidateQueries(sessionsQuery);
    },
    onError: (error: Error) => toasts.show(errorText(error, t), 'danger'),
  };
  const revoke = useMutation({ mutationFn: auth.revokeSession, ...ended });
  const revokeOthers = useMutation({ mutationFn: auth.revokeOtherSessions, ...ended });
  const others = sessions.data?.some((session) => !session.current) === true;

  const nameOf = (session: BrowserSession) => {
    const { browser, system } = describeUserAgent(session.user_agent);
    if (browser !== null && system !== null) return t('account.browserOn', { browser, system });
    return browser ?? system ?? t('account.unknownBrowser');
  };

  return (
    <Section
      title={t('account.sessionsTitle')}
      text={t('account.sessionsText')}
      action={
        others && (
          <Button variant="outline" size="small" onClick={() => revokeOthers.mutate()}>
            {t('account.revokeOthers')}
          </Button>
        )
      }
    >
      {sessions.isPending && <Spinner />}
      {sessions.isError && <Alert>{errorText(sessions.error, t)}</Alert>}
      <ul className="divide-y divide-border">
        {sessions.data?.map((session) => (
          <li key={session.id} className="flex items-center justify-between gap-3 py-3">
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {nameOf(session)}
                {session.current && (
                  <span className="rounded-full bg-bubble px-2 py-0.5 text-xs font-medium">
                    {t('account.thisSession')}
                  </span>
                )}
              </p>
              <p className="text-sm break-words text-muted">
                {[
                  session.address,
                  t('account.lastSeen', {
                    time: formatDateTime(session.last_seen_at, i18n.language),
                  }),
                  t('account.expires', { time: formatDateTime(session.expires_at, i18n.language) }),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </p>
            </div>
            {!session.current && (
              <Button
                variant="outline"
                size="small"
                aria-label={t('account.revokeSession', { name: nameOf(session) })}
                onClick={() => revoke.mutate(session.id)}
              >
                {t('account.revoke')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

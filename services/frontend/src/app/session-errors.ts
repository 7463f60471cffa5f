import type { QueryClient } from '@tanstack/react-query';

import { hasCode } from '@/api/error';
import { meQuery } from '@/features/auth/session';

import type { AppRouter } from './router';

/** Leaves the page when an error says that the session may no longer use it. */
export function leaveFor(error: Error, router: AppRouter, queryClient: QueryClient): void {
  const { pathname, href } = router.state.location;
  if (pathname === '/login' || pathname === '/register') return;
  // Whoever was not signed in yet has lost nothing: the route sends them to sign in.
  if (queryClient.getQueryData(meQuery.queryKey) === undefined) return;
  if (hasCode(error, 'not_authenticated')) {
    queryClient.clear();
    void router.navigate({ to: '/login', search: { redirect: href, reason: 'expired' } });
  } else if (hasCode(error, 'account_suspended', 'account_pending')) {
    queryClient.clear();
    void router.navigate({
      to: '/login',
      search: { reason: error.code === 'account_pending' ? 'pending' : 'suspended' },
    });
  } else if (hasCode(error, 'password_change_required') && pathname !== '/password') {
    void router.navigate({ to: '/password', search: { redirect: href } });
  }
}

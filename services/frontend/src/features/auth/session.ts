import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { auth } from '@/api/auth';
import { setCsrfToken } from '@/api/client';
import { server } from '@/api/server';

/** Who is signed in. Stays until something says otherwise. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => auth.me(signal),
  staleTime: Infinity,
});

export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => server.config(signal),
  staleTime: 60_000,
});

/** The user of a page that needs a session. */
export function useUser() {
  return useSuspenseQuery(meQuery).data.user;
}

/** Ends the session at the server and forgets all that was fetched with it. */
export function useSignOut() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    await auth.logout();
    setCsrfToken('');
    await navigate({ to: '/login' });
    queryClient.clear();
  };
}

/** Where to go after signing in. Only a path on this site: anything else could lead away. */
export function localPath(value: unknown): string | undefined {
  return typeof value === 'string' && /^\/(?![/\\])/.test(value) ? value : undefined;
}

export type LoginReason = 'expired' | 'pending' | 'suspended';

export interface LoginSearch {
  redirect?: string;
  reason?: LoginReason;
}

export function parseLoginSearch(search: Record<string, unknown>): LoginSearch {
  const redirect = localPath(search.redirect);
  const { reason } = search;
  return {
    ...(redirect !== undefined && { redirect }),
    ...((reason === 'expired' || reason === 'pending' || reason === 'suspended') && { reason }),
  };
}

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

/** A search parameter that is a text, or nothing. */
export function optionalText<Name extends string>(
  name: Name,
  value: unknown,
): Partial<Record<Name, string>> {
  // The router reads what looks like a number as one.
  const text = typeof value === 'number' ? String(value) : value;
  return (typeof text === 'string' && text !== '' ? { [name]: text } : {}) as Partial<
    Record<Name, string>
  >;
}

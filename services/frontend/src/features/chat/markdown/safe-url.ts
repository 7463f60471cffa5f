const allowed = new Set(['http:', 'https:', 'mailto:']);

/** The address if a link may lead there: absolute, and http, https or mailto. Else undefined. */
export function safeUrl(address: string): string | undefined {
  try {
    return allowed.has(new URL(address).protocol) ? address : undefined;
  } catch {
    return undefined;
  }
}

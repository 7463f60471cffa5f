const first = 400;
const cap = 5000;

/** Milliseconds before attempt number `attempt` (from 1): doubles from 0.4 s to 5 s, jittered down. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(cap, first * 2 ** (attempt - 1));
  return full * (0.75 + 0.25 * random());
}

/** Waits, but no longer than until the browser says it is online again or `signal` aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      window.removeEventListener('online', finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    window.addEventListener('online', finish);
    signal.addEventListener('abort', finish);
  });
}

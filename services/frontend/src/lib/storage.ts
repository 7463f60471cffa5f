/** Browser stores that may be full, blocked or absent: then nothing is kept, nothing breaks. */
function guarded(store: () => Storage) {
  return {
    read(key: string): string | null {
      try {
        return store().getItem(key);
      } catch {
        return null;
      }
    },
    write(key: string, value: string | null): void {
      try {
        if (value === null || value === '') store().removeItem(key);
        else store().setItem(key, value);
      } catch {
        // Private mode or a full store.
      }
    },
    /** Forgets every key that begins with `prefix`. */
    forget(prefix: string): void {
      try {
        for (const key of Object.keys(store())) {
          if (key.startsWith(prefix)) store().removeItem(key);
        }
      } catch {
        // Blocked: then nothing was kept either.
      }
    },
  };
}

/** Preferences only (theme, language); never a credential. */
export const preferences = guarded(() => localStorage);
/** Unsent text, for as long as the tab lives. */
export const tabStore = guarded(() => sessionStorage);

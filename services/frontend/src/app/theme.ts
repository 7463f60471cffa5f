import { useSyncExternalStore } from 'react';

import { preferences } from '@/lib/storage';

/** public/boot.js reads the same key before the first paint. */
const storageKey = 'atoll.theme';

export type Theme = 'light' | 'dark' | 'system';

const darkSystem = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function stored(): Theme {
  const value = preferences.read(storageKey);
  return value === 'light' || value === 'dark' ? value : 'system';
}

let chosen = stored();

function apply(): void {
  const system = darkSystem.matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = chosen === 'system' ? system : chosen;
}

darkSystem.addEventListener('change', apply);

export function setTheme(theme: Theme): void {
  chosen = theme;
  preferences.write(storageKey, theme === 'system' ? null : theme);
  apply();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => chosen);
}

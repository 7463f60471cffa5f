interface ToastItem {
  id: number;
  tone: 'danger' | 'notice';
  text: string;
}

const listeners = new Set<() => void>();
let items: readonly ToastItem[] = [];
let nextId = 1;

function set(next: readonly ToastItem[]): void {
  items = next;
  for (const listener of listeners) listener();
}

/** Short notices that any code may raise; at most three are shown at once. */
export const toasts = {
  get: () => items,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
  show: (text: string, tone: ToastItem['tone'] = 'notice') =>
    set([...items, { id: nextId++, tone, text }].slice(-3)),
  dismiss: (id: number) => set(items.filter((item) => item.id !== id)),
};

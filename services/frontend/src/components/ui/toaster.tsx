import { X } from 'lucide-react';
import { Toast } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { cn } from '@/lib/cn';
import { toasts } from '@/lib/toasts';

import { Button } from './button';

/** Shows the short notices of `toasts`; each goes away by itself after some seconds. */
export function Toaster() {
  const { t } = useTranslation();
  const shown = useSyncExternalStore(toasts.subscribe, toasts.get);
  return (
    <Toast.Provider label={t('app.notifications')} duration={6000}>
      {shown.map(({ id, tone, text }) => (
        <Toast.Root
          key={id}
          type={tone === 'danger' ? 'foreground' : 'background'}
          onOpenChange={(open) => {
            if (!open) toasts.dismiss(id);
          }}
          className={cn(
            'flex items-start gap-2 rounded-xl border bg-surface p-3 pl-4 text-sm shadow-lg',
            tone === 'danger' ? 'border-danger text-danger' : 'border-border',
          )}
        >
          <Toast.Description className="min-w-0 flex-1 pt-1">{text}</Toast.Description>
          <Toast.Close asChild>
            <Button variant="quiet" size="iconSmall" aria-label={t('app.close')}>
              <X className="size-4" aria-hidden />
            </Button>
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport
        label={t('app.notifications')}
        className="fixed right-4 bottom-[calc(1rem+env(safe-area-inset-bottom))] z-60 grid w-[min(24rem,calc(100vw-2rem))] gap-2"
      />
    </Toast.Provider>
  );
}

import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Logo } from '@/components/logo';
import { MainArea } from '@/components/main-area';
import { PreferenceButtons } from '@/components/preference-items';
import { useTitle } from '@/lib/use-title';

interface AuthCardProps {
  title: string;
  children: ReactNode;
  footer?: ReactNode;
}

/** The frame of the pages before the chat: mark, one card, preferences in the corner. */
export function AuthCard({ title, children, footer }: AuthCardProps) {
  const { t } = useTranslation();
  useTitle(title);
  return (
    <div className="lagoon flex min-h-dvh flex-col">
      <header className="flex justify-end p-3 pt-[calc(0.75rem+env(safe-area-inset-top))]">
        <PreferenceButtons />
      </header>
      <MainArea className="mx-auto flex w-full max-w-md flex-1 flex-col gap-6 px-4 pt-[6vh] pb-12">
        <div className="flex flex-col items-center gap-3 text-center">
          <Logo className="size-14" />
          <p className="text-muted">{t('app.tagline')}</p>
        </div>
        <section className="grid gap-5 rounded-2xl border border-border bg-surface p-6 shadow-sm sm:p-8">
          <h1 className="text-xl font-semibold">{title}</h1>
          {children}
        </section>
        {footer !== undefined && <p className="text-center text-sm text-muted">{footer}</p>}
      </MainArea>
    </div>
  );
}

import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ComponentProps } from 'react';
import { useTranslation } from 'react-i18next';

import { cn } from '@/lib/cn';

import { Button } from './button';

export const Dialog = Primitive.Root;
export const DialogClose = Primitive.Close;

export const overlayLook = 'fixed inset-0 z-40 bg-black/50';
export const panelLook =
  'fixed top-1/2 left-1/2 z-50 grid max-h-[90dvh] w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 gap-4 overflow-y-auto rounded-2xl border border-border bg-surface p-6 shadow-xl outline-none';

interface DialogContentProps extends ComponentProps<typeof Primitive.Content> {
  title: string;
  description?: string;
}

export function DialogContent({
  title,
  description,
  className,
  children,
  ...props
}: DialogContentProps) {
  const { t } = useTranslation();
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayLook} />
      <Primitive.Content
        className={cn(panelLook, className)}
        {...(description === undefined && { 'aria-describedby': undefined })}
        {...props}
      >
        <div className="grid gap-1 pr-8">
          <Primitive.Title className="text-lg font-semibold">{title}</Primitive.Title>
          {description !== undefined && (
            <Primitive.Description className="text-sm text-muted">
              {description}
            </Primitive.Description>
          )}
        </div>
        {children}
        <Primitive.Close asChild>
          <Button
            variant="quiet"
            size="iconSmall"
            className="absolute top-4 right-4"
            aria-label={t('app.close')}
          >
            <X className="size-4" aria-hidden />
          </Button>
        </Primitive.Close>
      </Primitive.Content>
    </Primitive.Portal>
  );
}

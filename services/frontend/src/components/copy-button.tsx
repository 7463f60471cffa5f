import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { copyText } from '@/lib/clipboard';
import { toasts } from '@/lib/toasts';

import { Button } from './ui/button';

interface CopyButtonProps {
  label: string;
  text: () => string;
}

/** Copies, and says so for two seconds. */
export function CopyButton({ label, text }: CopyButtonProps) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = () =>
    copyText(text()).then(
      () => setCopied(true),
      () => toasts.show(t('app.copyFailed'), 'danger'),
    );

  return (
    <Button
      variant="quiet"
      size="iconSmall"
      aria-label={label}
      title={label}
      onClick={() => void copy()}
    >
      {copied ? (
        <Check className="size-4 text-success" aria-hidden />
      ) : (
        <Copy className="size-4" aria-hidden />
      )}
      <span className="sr-only" role="status">
        {copied ? t('app.copied') : ''}
      </span>
    </Button>
  );
}

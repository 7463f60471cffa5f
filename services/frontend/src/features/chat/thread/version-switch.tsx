import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';

interface VersionSwitchProps {
  index: number;
  count: number;
  previousId: string | null;
  nextId: string | null;
  onSelect: (messageId: string) => void;
}

/** `‹ 1/2 ›`: moves between the answers to one question, or the wordings of one question. */
export function VersionSwitch({ index, count, previousId, nextId, onSelect }: VersionSwitchProps) {
  const { t } = useTranslation();
  if (count < 2) return null;
  const arrow = (id: string | null, label: string, Icon: typeof ChevronLeft) => (
    <Button
      variant="quiet"
      size="iconSmall"
      aria-label={label}
      title={label}
      aria-disabled={id === null}
      onClick={() => {
        if (id !== null) onSelect(id);
      }}
    >
      <Icon className="size-4" aria-hidden />
    </Button>
  );
  return (
    <div className="flex items-center text-sm text-muted">
      {arrow(previousId, t('chat.previousVersion'), ChevronLeft)}
      <span aria-hidden className="tabular-nums">
        {t('chat.version', { index, count })}
      </span>
      <span className="sr-only">{t('chat.versionLabel', { index, count })}</span>
      {arrow(nextId, t('chat.nextVersion'), ChevronRight)}
    </div>
  );
}

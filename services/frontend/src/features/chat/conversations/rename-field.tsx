import type { KeyboardEvent } from 'react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { isComposing } from '../composer/composition';

interface RenameFieldProps {
  title: string;
  /** The new title, or null to keep the old one. */
  onDone: (title: string | null) => void;
}

/** Renames in place: Enter and leaving the field keep the new title, Escape the old one. */
export function RenameField({ title, onDone }: RenameFieldProps) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => field.current?.select(), []);

  const finish = (keep: boolean) => {
    if (finished.current) return;
    finished.current = true;
    const next = field.current?.value.trim() ?? '';
    onDone(keep && next !== '' ? next : null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter') finish(true);
    if (event.key === 'Escape') {
      // Not for the drawer around it, which Escape would close.
      event.preventDefault();
      event.nativeEvent.stopImmediatePropagation();
      finish(false);
    }
  };
  return (
    <input
      ref={field}
      defaultValue={title}
      maxLength={200}
      aria-label={t('chat.renameLabel')}
      className="h-9 w-full rounded-lg border border-control bg-surface px-2.5 text-base sm:text-sm"
      onKeyDown={onKeyDown}
      onBlur={() => finish(true)}
    />
  );
}

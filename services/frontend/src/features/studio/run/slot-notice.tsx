import { Link } from '@tanstack/react-router';
import { PackageOpen } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import type { Slot } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { Remedy } from '@/features/models/remedy';
import { SlotNote } from '@/features/models/slot-note';
import { WaysToFill } from '@/features/models/ways-to-fill';

/** What has to be done before the task can answer; nothing when it can. */
export function SlotNotice({ slot }: { slot: Slot }) {
  const { t } = useTranslation();
  const servable = slot.models.filter((model) => model.state !== 'failed');
  if (servable.length > 0) {
    const loading = servable.find((model) => model.default)?.state === 'loading';
    return loading ? <Alert tone="notice">{t('studio.loadingModel')}</Alert> : null;
  }
  return (
    <section
      aria-labelledby="empty-slot"
      className="flex gap-4 rounded-2xl border border-border bg-notice-surface p-5 sm:p-6"
    >
      <PackageOpen className="mt-0.5 size-6 shrink-0 text-primary" aria-hidden />
      <div className="grid min-w-0 gap-2">
        <h2 id="empty-slot" className="text-lg font-semibold">
          {t('studio.empty.title')}
        </h2>
        <p>{t('studio.empty.text')}</p>
        <WaysToFill slot={slot} />
        {slot.note != null && <SlotNote text={slot.note} />}
        {slot.models.map((model) => (
          <p key={model.id} className="text-sm text-danger">
            <span className="font-medium">{model.id}:</span> <Remedy text={model.problem ?? ''} />
          </p>
        ))}
        <p>
          <Link to="/models" className="text-primary underline underline-offset-2">
            {t('studio.empty.models')}
          </Link>
        </p>
      </div>
    </section>
  );
}

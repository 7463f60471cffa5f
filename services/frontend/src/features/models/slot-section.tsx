import { useTranslation } from 'react-i18next';

import type { Slot } from '@/api/types';
import { Section } from '@/components/section';
import en from '@/i18n/en.json';

import { ModelRow } from './model-row';
import { SlotNote } from './slot-note';
import { WaysToFill } from './ways-to-fill';

type SlotName = keyof typeof en.models.slots;

function isKnown(slot: string): slot is SlotName {
  return Object.hasOwn(en.models.slots, slot);
}

/** One slot: what fills it, or how to. */
export function SlotSection({ slot }: { slot: Slot }) {
  const { t } = useTranslation();
  const title = isKnown(slot.slot) ? t(`models.slots.${slot.slot}`) : slot.title;
  return (
    <div data-testid="slot" data-slot={slot.slot}>
      <Section
        title={title}
        text={slot.internal ? t('models.internal') : undefined}
        action={
          <code className="rounded bg-code px-1.5 py-0.5 font-mono text-xs">{slot.slot}</code>
        }
      >
        {slot.models.length > 0 && (
          <ul className="-my-3 divide-y divide-border">
            {slot.models.map((model) => (
              <ModelRow key={model.id} model={model} />
            ))}
          </ul>
        )}
        {slot.models.length === 0 && (
          <div className="grid gap-1 text-sm">
            <p className="font-medium text-muted">{t('models.state.empty')}</p>
            <WaysToFill slot={slot} />
            {slot.note != null && <SlotNote text={slot.note} />}
          </div>
        )}
      </Section>
    </div>
  );
}

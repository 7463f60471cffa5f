import { useTranslation } from 'react-i18next';

import type { Slot } from '@/api/types';

import { Remedy } from './remedy';

type Way = Slot['ways'][number];

/** What may be copied into the slot's folder. */
function whatFits(slot: string): 'gguf' | 'detector' | 'checkpoint' {
  if (slot === 'chat') return 'gguf';
  return slot.endsWith('_deepfake') ? 'detector' : 'checkpoint';
}

/** How an operator fills an empty slot. */
export function WaysToFill({ slot }: { slot: Slot }) {
  const { t } = useTranslation();
  const text = ({ kind, command, checkpoint }: Way) => {
    if (kind === 'copy') {
      return t(`models.ways.copy.${whatFits(slot.slot)}`, { folder: `models/${slot.slot}/` });
    }
    return t(`models.ways.${kind}`, { command, checkpoint });
  };
  if (slot.ways.length === 0) return <p>{t('models.ways.none')}</p>;
  return (
    <ul className="grid list-disc gap-1 pl-5" data-testid="ways">
      {slot.ways.map((way) => (
        <li key={way.kind}>
          <Remedy text={text(way)} />
        </li>
      ))}
    </ul>
  );
}

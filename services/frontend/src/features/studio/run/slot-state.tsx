import { useTranslation } from 'react-i18next';

import type { Slot } from '@/api/types';
import { StateDot } from '@/components/state-dot';

/** Who answers, and whether at once. */
export function SlotState({ slot }: { slot: Slot | undefined }) {
  const { t } = useTranslation();
  const model = slot?.models.find((candidate) => candidate.default) ?? slot?.models[0];
  if (slot === undefined) return null;
  if (model === undefined) {
    return <span className="text-sm text-muted">{t('models.state.empty')}</span>;
  }
  return (
    <span className="flex min-w-0 items-center gap-2 text-sm text-muted">
      <StateDot state={model.state} />
      <span className="truncate">
        {t(`models.state.${model.state}`)} · {model.id}
      </span>
    </span>
  );
}

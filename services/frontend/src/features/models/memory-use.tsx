import { useTranslation } from 'react-i18next';

import { Progress } from '@/components/ui/progress';
import { formatBytes } from '@/lib/format';

interface MemoryUseProps {
  /** Bytes of all loaded models, as estimated. */
  loaded: number;
  /** Bytes that they may take together; null without a limit. */
  budget: number | null;
}

/** How much memory the loaded models take together. */
export function MemoryUse({ loaded, budget }: MemoryUseProps) {
  const { t, i18n } = useTranslation();
  const bytes = (value: number) => formatBytes(value, i18n.language);
  const text =
    budget === null
      ? t('models.memoryUse', { loaded: bytes(loaded) })
      : t('models.memoryOf', { loaded: bytes(loaded), budget: bytes(budget) });
  return (
    <div className="grid max-w-md gap-2">
      <p className="text-sm">{text}</p>
      {budget !== null && <Progress value={Math.min(1, loaded / budget)} label={text} />}
    </div>
  );
}

import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import en from '@/i18n/en.json';
import { formatPercent } from '@/lib/format';

import { Meter } from './meter';

type Emotion = keyof typeof en.studio.emotions;

function isKnown(label: string): label is Emotion {
  return Object.hasOwn(en.studio.emotions, label);
}

/** The emotion of a text, and how the others fared. */
export function Emotions({ result }: { result: TaskResults['emotion_detection'] }) {
  const { t, i18n } = useTranslation();
  // Labels are the checkpoint's; one that is not known here is shown as it is called there.
  const nameOf = (label: string) => (isKnown(label) ? t(`studio.emotions.${label}`) : label);
  const scores = Object.entries(result.scores).toSorted(([, a], [, b]) => b - a);
  return (
    <div className="grid gap-4">
      <p className="text-xl font-semibold" data-testid="verdict">
        {nameOf(result.label)}
      </p>
      <div className="grid gap-2.5">
        {scores.map(([label, score]) => (
          <Meter
            key={label}
            label={nameOf(label)}
            value={score}
            text={formatPercent(score, i18n.language)}
            strong={label === result.label}
          />
        ))}
      </div>
    </div>
  );
}

import { useTranslation } from 'react-i18next';

import { Section } from '@/components/section';

import { AnsweredBy } from './answered-by';
import type { Outcome } from './outcome';
import { ResultView } from './result-view';

/** A result with who gave it. */
export function ResultCard({ outcome }: { outcome: Outcome }) {
  const { t } = useTranslation();
  return (
    <div data-testid="result">
      <Section title={t('studio.result.title')} text={outcome.source.name ?? undefined}>
        <ResultView outcome={outcome} />
        <AnsweredBy model={outcome.model} timings={outcome.timings} />
      </Section>
    </div>
  );
}

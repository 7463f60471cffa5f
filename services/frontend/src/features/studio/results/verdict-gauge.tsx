import { useTranslation } from 'react-i18next';

import { cn } from '@/lib/cn';
import { formatPercent } from '@/lib/format';

import { arcPath } from './gauge';

interface VerdictGaugeProps {
  label: 'real' | 'fake';
  /** How likely it is synthetic, 0 to 1. */
  score: number;
}

const centre = { x: 100, y: 100 };
const radius = 82;

/** How likely something is synthetic, as a half circle, and what that means in a word. */
export function VerdictGauge({ label, score }: VerdictGaugeProps) {
  const { t, i18n } = useTranslation();
  const percent = formatPercent(score, i18n.language);
  const fake = label === 'fake';
  return (
    <div className="grid justify-items-center">
      <div
        role="meter"
        aria-label={t('studio.verdict.scale')}
        aria-valuemin={0}
        aria-valuemax={1}
        aria-valuenow={score}
        aria-valuetext={`${t(`studio.verdict.${label}`)}, ${percent}`}
        className="w-56 max-w-full"
      >
        <svg viewBox="0 0 200 112" aria-hidden focusable="false" className="w-full">
          <path
            d={arcPath(1, radius, centre)}
            fill="none"
            className="stroke-hover"
            strokeWidth="16"
            strokeLinecap="round"
          />
          <path
            d={arcPath(score, radius, centre)}
            fill="none"
            className={fake ? 'stroke-danger' : 'stroke-primary'}
            strokeWidth="16"
            strokeLinecap="round"
          />
          <text
            x="100"
            y="92"
            textAnchor="middle"
            className="fill-foreground text-[34px] font-semibold tabular-nums"
          >
            {percent}
          </text>
        </svg>
      </div>
      <p
        className={cn('text-lg font-semibold', fake ? 'text-danger' : 'text-primary')}
        data-testid="verdict"
      >
        {t(`studio.verdict.${label}`)}
      </p>
      <p className="text-sm text-muted">{t('studio.verdict.scale')}</p>
    </div>
  );
}

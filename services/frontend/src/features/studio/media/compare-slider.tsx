import { MoveHorizontal } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { formatPercent } from '@/lib/format';

interface CompareSliderProps {
  before: string;
  after: string;
  /** Width and height of the result, for its place before it is drawn. */
  width: number;
  height: number;
}

/** Two pictures on top of each other; a pointer, a finger or the arrow keys move the border. */
export function CompareSlider({ before, after, width, height }: CompareSliderProps) {
  const { t, i18n } = useTranslation();
  const [share, setShare] = useState(50);
  const tag = 'absolute bottom-2 rounded-md bg-black/70 px-2 py-0.5 text-xs text-white';
  return (
    <div
      className="relative mx-auto w-full overflow-hidden rounded-xl bg-code has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-offset-2 has-[:focus-visible]:outline-ring"
      style={{
        aspectRatio: `${width} / ${height}`,
        maxWidth: `min(100%, ${70 * (width / height)}dvh)`,
      }}
    >
      <img src={before} alt={t('studio.compare.before')} className="absolute inset-0 size-full" />
      <img
        src={after}
        alt={t('studio.compare.after')}
        className="absolute inset-0 size-full"
        style={{ clipPath: `inset(0 0 0 ${share}%)` }}
      />
      <span className={`${tag} left-2`} aria-hidden>
        {t('studio.compare.before')}
      </span>
      <span className={`${tag} right-2`} aria-hidden>
        {t('studio.compare.after')}
      </span>
      <div
        className="pointer-events-none absolute inset-y-0 w-0.5 -translate-x-1/2 bg-white shadow-[0_0_4px_rgb(0_0_0/0.6)]"
        style={{ left: `${share}%` }}
        aria-hidden
      >
        <span className="absolute top-1/2 left-1/2 grid size-9 -translate-1/2 place-items-center rounded-full bg-white text-black shadow-md">
          <MoveHorizontal className="size-4" />
        </span>
      </div>
      <input
        type="range"
        min={0}
        max={100}
        value={share}
        aria-label={t('studio.compare.border')}
        aria-valuetext={t('studio.compare.shown', {
          share: formatPercent(share / 100, i18n.language),
        })}
        className="absolute inset-0 m-0 size-full cursor-ew-resize opacity-0"
        onChange={(event) => setShare(event.target.valueAsNumber)}
      />
    </div>
  );
}

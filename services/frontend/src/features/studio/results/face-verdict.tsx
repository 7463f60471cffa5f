import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import { Alert } from '@/components/ui/alert';
import { cn } from '@/lib/cn';
import { formatPercent } from '@/lib/format';
import { useObjectUrl } from '@/lib/use-object-url';

import type { Source } from './outcome';
import { VerdictGauge } from './verdict-gauge';

interface FaceVerdictProps {
  result: TaskResults['face_deepfake'];
  source: Source;
}

/** The faces in a picture, each in a box with its score. */
export function FaceVerdict({ result, source }: FaceVerdictProps) {
  const { t, i18n } = useTranslation();
  const url = useObjectUrl(source.file);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const { label, score, faces } = result;
  const percent = (value: number) => formatPercent(value, i18n.language);
  return (
    <div className="grid gap-6">
      {label !== null && score !== null ? (
        <VerdictGauge label={label} score={score} />
      ) : (
        <Alert tone="notice">{t('studio.faces.none')}</Alert>
      )}
      {url !== null && (
        <div className="relative mx-auto w-fit">
          <img
            src={url}
            alt={t('studio.faces.found', { count: faces.length })}
            className="max-h-[60dvh] rounded-xl"
            onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
              setSize({ width: naturalWidth, height: naturalHeight })
            }
          />
          {size !== null &&
            faces.map(({ box: [x, y, width, height], score: faceScore }, index) => (
              <div
                key={index}
                aria-hidden
                data-testid="face-box"
                className={cn(
                  'pointer-events-none absolute rounded-md border-3 shadow-[0_0_0_1px_rgb(0_0_0/0.5)]',
                  faceScore >= 0.5 ? 'border-danger' : 'border-primary',
                )}
                style={{
                  left: `${(x / size.width) * 100}%`,
                  top: `${(y / size.height) * 100}%`,
                  width: `${(width / size.width) * 100}%`,
                  height: `${(height / size.height) * 100}%`,
                }}
              >
                <span className="absolute -bottom-7 left-0 rounded-md bg-black/75 px-1.5 py-0.5 text-xs whitespace-nowrap text-white tabular-nums">
                  {index + 1} · {percent(faceScore)}
                </span>
              </div>
            ))}
        </div>
      )}
      {faces.length > 0 && (
        <ul className="grid gap-1 text-sm">
          {faces.map((face, index) => (
            <li key={index}>
              {t('studio.faces.face', { number: index + 1, score: percent(face.score) })}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

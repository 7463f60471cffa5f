import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { stemOf } from '@/lib/download';
import { useObjectUrl } from '@/lib/use-object-url';

import { CompareSlider } from '../media/compare-slider';
import type { Source } from './outcome';
import { SaveFile } from './save-file';

interface EnhancedProps {
  file: Blob;
  source: Source;
}

interface Size {
  width: number;
  height: number;
}

/** A picture or a video before and after it was enlarged. */
export function Enhanced({ file, source }: EnhancedProps) {
  const video = file.type.startsWith('video/');
  const ending = video ? 'mp4' : 'png';
  return (
    <div className="grid gap-3">
      {video ? (
        <TwoVideos file={file} source={source} />
      ) : (
        <TwoPictures file={file} source={source} />
      )}
      <SaveFile name={`${stemOf(source.name)}.enhanced.${ending}`} file={file} />
    </div>
  );
}

function SizeNote({ size }: { size: Size }) {
  const { t } = useTranslation();
  return (
    <p className="text-sm text-muted tabular-nums">
      {t('studio.enhanced.size', {
        from: `${size.width / 2} × ${size.height / 2}`,
        to: `${size.width} × ${size.height}`,
      })}
    </p>
  );
}

function TwoPictures({ file, source }: EnhancedProps) {
  const { t } = useTranslation();
  const before = useObjectUrl(source.file);
  const after = useObjectUrl(file);
  const [size, setSize] = useState<Size | null>(null);
  if (after === null) return null;
  return (
    <>
      {size === null || before === null ? (
        <img
          src={after}
          alt={t('studio.compare.after')}
          className="mx-auto max-h-[70dvh] rounded-xl"
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSize({ width: naturalWidth, height: naturalHeight })
          }
        />
      ) : (
        <CompareSlider before={before} after={after} {...size} />
      )}
      {size !== null && <SizeNote size={size} />}
    </>
  );
}

function TwoVideos({ file, source }: EnhancedProps) {
  const { t } = useTranslation();
  const before = useObjectUrl(source.file);
  const after = useObjectUrl(file);
  const [size, setSize] = useState<Size | null>(null);
  const shown = (url: string | null, label: string, onSize?: (size: Size) => void) =>
    url !== null && (
      <figure className="grid gap-1.5">
        {/* eslint-disable-next-line jsx-a11y/media-has-caption -- the person's own file */}
        <video
          src={url}
          controls
          aria-label={label}
          className="w-full rounded-xl bg-black"
          onLoadedMetadata={({ currentTarget: { videoWidth, videoHeight } }) =>
            onSize?.({ width: videoWidth, height: videoHeight })
          }
        />
        <figcaption className="text-sm font-medium">{label}</figcaption>
      </figure>
    );
  return (
    <>
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {shown(before, t('studio.compare.before'))}
        {shown(after, t('studio.compare.after'), setSize)}
      </div>
      {size !== null && <SizeNote size={size} />}
    </>
  );
}

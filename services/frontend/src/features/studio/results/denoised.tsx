import { useTranslation } from 'react-i18next';

import type { TaskResults } from '@/api/types';
import { stemOf } from '@/lib/download';

import { AudioPlayer } from '../media/audio-player';
import type { Source } from './outcome';
import { SaveFile } from './save-file';

interface DenoisedProps {
  result: Partial<TaskResults['audio_denoising']>;
  file: Blob;
  source: Source;
}

/** A recording before and after its noise was taken away. */
export function Denoised({ result, file, source }: DenoisedProps) {
  const { t } = useTranslation();
  const { sample_rate: rate, model_sample_rate: heard } = result;
  return (
    <div className="grid gap-3">
      {source.file !== null && (
        <AudioPlayer sound={source.file} label={t('studio.compare.before')} />
      )}
      <AudioPlayer sound={file} label={t('studio.compare.after')} />
      {rate !== undefined && heard !== undefined && heard < rate && (
        <p className="text-sm text-muted">
          {t('studio.denoised.bandwidth', { limit: heard / 2000 })}
        </p>
      )}
      <SaveFile name={`${stemOf(source.name)}.denoised.wav`} file={file} />
    </div>
  );
}

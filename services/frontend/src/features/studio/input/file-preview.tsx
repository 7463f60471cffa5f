import { FileIcon } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useObjectUrl } from '@/lib/use-object-url';

import { AudioPlayer } from '../media/audio-player';
import type { InputKind } from '../tasks';

/** What was chosen, as it sounds or looks. */
export function FilePreview({ file, kind }: { file: File; kind: InputKind }) {
  const { t } = useTranslation();
  const url = useObjectUrl(file);
  if (file.type.startsWith('image/')) {
    return (
      url !== null && (
        <img
          src={url}
          alt={t('studio.input.chosen', { name: file.name })}
          className="mx-auto max-h-72 rounded-xl object-contain"
        />
      )
    );
  }
  if (kind === 'audio') return <AudioPlayer sound={file} label={t('studio.input.recording')} />;
  if (file.type.startsWith('video/')) {
    return (
      url !== null && (
        // eslint-disable-next-line jsx-a11y/media-has-caption -- the person's own file
        <video src={url} controls className="mx-auto max-h-72 rounded-xl" />
      )
    );
  }
  return <FileIcon className="mx-auto size-10 text-muted" aria-hidden />;
}

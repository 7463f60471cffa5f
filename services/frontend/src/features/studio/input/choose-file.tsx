import { FolderOpen } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';

interface ChooseFileProps {
  accept: string;
  label: string;
  variant?: 'primary' | 'outline';
  size?: 'default' | 'small';
  onFile: (file: File) => void;
}

/** Opens the browser's file chooser. */
export function ChooseFile({ accept, label, variant, size, onFile }: ChooseFileProps) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button variant={variant} size={size} onClick={() => field.current?.click()}>
        <FolderOpen className="size-4" aria-hidden /> {label}
      </Button>
      <input
        ref={field}
        type="file"
        accept={accept}
        tabIndex={-1}
        aria-label={t('studio.input.file')}
        className="hidden"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) onFile(file);
          // The same file can be chosen again.
          event.target.value = '';
        }}
      />
    </>
  );
}

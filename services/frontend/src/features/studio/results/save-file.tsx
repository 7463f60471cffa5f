import { Download } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { download } from '@/lib/download';
import { formatBytes } from '@/lib/format';

/** Keeps a result that is a file. */
export function SaveFile({ name, file }: { name: string; file: Blob }) {
  const { t, i18n } = useTranslation();
  return (
    <Button variant="outline" className="justify-self-start" onClick={() => download(name, file)}>
      <Download className="size-4" aria-hidden /> {t('studio.result.download')}
      <span className="font-normal text-muted">{formatBytes(file.size, i18n.language)}</span>
    </Button>
  );
}

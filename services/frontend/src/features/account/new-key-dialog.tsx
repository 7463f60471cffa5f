import { useTranslation } from 'react-i18next';

import type { NewApiKey } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';
import { Dialog, DialogClose, DialogContent } from '@/components/ui/dialog';

interface NewKeyDialogProps {
  /** Null while there is nothing to show. */
  created: NewApiKey | null;
  onClose: () => void;
}

/** Shows a key the one time it can be shown. Only its buttons and Escape close it. */
export function NewKeyDialog({ created, onClose }: NewKeyDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      open={created !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <DialogContent
        title={t('account.keyCreated')}
        description={t('account.keyOnce')}
        onInteractOutside={(event) => event.preventDefault()}
      >
        <div className="flex items-center gap-2 rounded-lg bg-code p-2 pl-3">
          <code className="min-w-0 flex-1 font-mono text-sm break-all">{created?.key}</code>
          <CopyButton label={t('account.copyKey')} text={() => created?.key ?? ''} />
        </div>
        <DialogClose asChild>
          <Button className="justify-self-end">{t('account.done')}</Button>
        </DialogClose>
      </DialogContent>
    </Dialog>
  );
}

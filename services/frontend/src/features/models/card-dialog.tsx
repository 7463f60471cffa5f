import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { hasCode } from '@/api/error';
import { Alert } from '@/components/ui/alert';
import { Dialog, DialogContent } from '@/components/ui/dialog';
import { Spinner } from '@/components/ui/spinner';
import { Markdown } from '@/features/chat/markdown/markdown';
import { errorText } from '@/lib/error-text';

import { cardBody } from './card-body';
import { cardQuery } from './queries';

interface CardDialogProps {
  /** Whose card is read; null for none. */
  model: string | null;
  onClose: () => void;
}

/** The card of a model. */
export function CardDialog({ model, onClose }: CardDialogProps) {
  return (
    <Dialog
      open={model !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      {model !== null && (
        <DialogContent title={model} className="w-[min(48rem,calc(100vw-2rem))]">
          <Card model={model} />
        </DialogContent>
      )}
    </Dialog>
  );
}

function Card({ model }: { model: string }) {
  const { t } = useTranslation();
  const card = useQuery(cardQuery(model));
  if (card.isPending) return <Spinner className="mx-auto" />;
  if (card.isError) {
    return hasCode(card.error, 'card_not_found') ? (
      <p className="text-muted">{t('models.noCard')}</p>
    ) : (
      <Alert>{errorText(card.error, t)}</Alert>
    );
  }
  return (
    <div className="min-w-0 text-sm">
      <Markdown text={cardBody(card.data.text)} />
      {card.data.truncated && <p className="mt-4 text-muted">{t('models.cardCut')}</p>}
    </div>
  );
}

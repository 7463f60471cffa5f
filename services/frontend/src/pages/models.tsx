import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { PageBody } from '@/components/page-body';
import { PageHeader } from '@/components/page-header';
import { Alert } from '@/components/ui/alert';
import { Spinner } from '@/components/ui/spinner';
import { CardDialog } from '@/features/models/card-dialog';
import { MemoryUse } from '@/features/models/memory-use';
import { slotsQuery } from '@/features/models/queries';
import { SlotSection } from '@/features/models/slot-section';
import { errorText } from '@/lib/error-text';
import { useTitle } from '@/lib/use-title';

const route = getRouteApi('/signed-in/studio-frame/models');

/** Every slot with its checkpoints; a card opens over it and has an address of its own. */
export function ModelsPage() {
  const { t } = useTranslation();
  useTitle(t('models.title'));
  const { card } = route.useSearch();
  const navigate = useNavigate();
  const slots = useQuery(slotsQuery);
  return (
    <PageBody>
      <PageHeader title={t('models.title')} text={t('models.text')} />
      {slots.isPending && <Spinner className="mx-auto" />}
      {slots.isError && <Alert>{errorText(slots.error, t)}</Alert>}
      {slots.data !== undefined && (
        <>
          <MemoryUse loaded={slots.data.bytes_loaded} budget={slots.data.memory_budget} />
          {/* What this release cannot serve comes last. */}
          {slots.data.slots
            .toSorted((a, b) => Number(b.served) - Number(a.served))
            .map((slot) => (
              <SlotSection key={slot.slot} slot={slot} />
            ))}
        </>
      )}
      <CardDialog
        model={card ?? null}
        onClose={() => void navigate({ to: '/models', search: {}, resetScroll: false })}
      />
    </PageBody>
  );
}

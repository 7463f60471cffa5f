import { ChevronDown } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import type { Model } from '@/api/types';
import { StateDot } from '@/components/state-dot';
import { Button } from '@/components/ui/button';
import {
  Menu,
  MenuContent,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuTrigger,
} from '@/components/ui/menu';

interface ModelPickerProps {
  models: Model[] | undefined;
  model: string | undefined;
  choose: (id: string) => void;
}

/** Chooses who answers. Each model says what state it is in and what that means. */
export function ModelPicker({ models, model, choose }: ModelPickerProps) {
  const { t, i18n } = useTranslation();
  const current = models?.find((candidate) => candidate.id === model);
  const name = model ?? t('chat.noModel');
  const state = current && t(`chat.modelState.${current.state}`);
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button
          variant="ghost"
          className="min-w-0 shrink px-3"
          aria-label={[`${t('chat.model')}: ${name}`, state].filter(Boolean).join(', ')}
        >
          {current && <StateDot state={current.state} />}
          <span className="truncate">{name}</span>
          <ChevronDown className="size-4 shrink-0 text-muted" aria-hidden />
        </Button>
      </MenuTrigger>
      <MenuContent align="start" className="w-[min(24rem,calc(100vw-1rem))]">
        <MenuLabel>{t('chat.model')}</MenuLabel>
        {models?.length === 0 && (
          <p className="px-2.5 py-2 text-sm text-muted">{t('chat.modelsEmpty')}</p>
        )}
        <MenuRadioGroup value={model ?? ''} onValueChange={choose}>
          {models?.map((candidate) => (
            <MenuRadioItem
              key={candidate.id}
              value={candidate.id}
              disabled={candidate.state === 'failed'}
              className="items-start data-[disabled]:opacity-100"
            >
              <span className="mt-1.5">
                <StateDot state={candidate.state} />
              </span>
              <span className="grid min-w-0 gap-0.5">
                <span className="font-medium break-words">{candidate.id}</span>
                <span className="text-xs text-muted">{describe(candidate).join(' · ')}</span>
                <span className="text-xs text-muted">{helpFor(candidate)}</span>
              </span>
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      </MenuContent>
    </Menu>
  );

  function helpFor({ source, state }: Model): string {
    return t(
      source === 'upstream' && state === 'available'
        ? 'chat.modelHelp.upstream'
        : `chat.modelHelp.${state}`,
    );
  }

  function describe(candidate: Model): string[] {
    const remote = candidate.source === 'upstream' && candidate.state === 'available';
    const parts = [
      t(`chat.modelState.${remote ? 'ready' : candidate.state}`),
      t(candidate.source === 'local' ? 'chat.modelLocal' : 'chat.modelUpstream'),
    ];
    if (candidate.context_length != null) {
      const count = new Intl.NumberFormat(i18n.language).format(candidate.context_length);
      parts.push(t('chat.modelContext', { tokens: count }));
    }
    return parts;
  }
}

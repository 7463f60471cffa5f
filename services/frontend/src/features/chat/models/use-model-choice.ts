import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { conversations } from '@/api/conversations';
import type { Model } from '@/api/types';
import { errorText } from '@/lib/error-text';
import { toasts } from '@/lib/toasts';

import { conversationQuery, conversationsKey, modelsQuery } from '../queries';

export interface ModelChoice {
  models: Model[] | undefined;
  /** Id of the model that answers next. */
  model: string | undefined;
  /** The same if somebody chose it; undefined leaves the choice to the server. */
  chosen: string | undefined;
  choose: (id: string) => void;
}

function defaultModel(models: Model[] | undefined): string | undefined {
  return (models?.find((model) => model.default) ?? models?.[0])?.id;
}

/** For a conversation that does not exist yet. */
export function useNewModelChoice(): ModelChoice {
  const { data: models } = useQuery(modelsQuery);
  const [chosen, choose] = useState<string>();
  return { models, model: chosen ?? defaultModel(models), chosen, choose };
}

/** For a stored conversation, which remembers its model. */
export function useModelChoice(conversationId: string): ModelChoice {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { data: models } = useQuery(modelsQuery);
  const query = conversationQuery(conversationId);
  const { data: conversation } = useQuery(query);
  const change = useMutation({
    mutationFn: (model: string) => conversations.update(conversationId, { model }),
    onSuccess: (updated) => {
      queryClient.setQueryData(query.queryKey, updated);
      void queryClient.invalidateQueries({ queryKey: conversationsKey });
    },
    onError: (error) => toasts.show(errorText(error, t), 'danger'),
  });
  const chosen = (change.isPending ? change.variables : conversation?.model) ?? undefined;
  return { models, model: chosen ?? defaultModel(models), chosen, choose: change.mutate };
}

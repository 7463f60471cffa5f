import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Pencil, Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { conversations } from '@/api/conversations';
import type { Conversation } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { cn } from '@/lib/cn';
import { errorText } from '@/lib/error-text';
import { toasts } from '@/lib/toasts';

import { conversationQuery, conversationsKey } from '../queries';
import { RenameField } from './rename-field';

interface ConversationRowProps {
  conversation: Conversation;
  active: boolean;
  onOpen: () => void;
}

/** One conversation in the list, with renaming and deleting. */
export function ConversationRow({ conversation, active, onOpen }: ConversationRowProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const titleId = useId();
  const [renaming, setRenaming] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const title = conversation.title || t('chat.untitled');
  const onError = (error: Error) => toasts.show(errorText(error, t), 'danger');

  const rename = useMutation({
    mutationFn: (next: string) => conversations.update(conversation.id, { title: next }),
    onSuccess: (updated) => {
      queryClient.setQueryData(conversationQuery(updated.id).queryKey, updated);
      return queryClient.invalidateQueries({ queryKey: conversationsKey });
    },
    onError,
  });
  const remove = useMutation({
    mutationFn: () => conversations.remove(conversation.id),
    onSuccess: async () => {
      if (active) await navigate({ to: '/chat' });
      await queryClient.invalidateQueries({ queryKey: conversationsKey });
    },
    onError,
  });

  if (renaming) {
    return (
      <li>
        <RenameField
          title={conversation.title}
          onDone={(next) => {
            setRenaming(false);
            if (next !== null && next !== conversation.title) rename.mutate(next);
          }}
        />
      </li>
    );
  }
  return (
    <li
      className={cn(
        'group relative flex items-center rounded-lg focus-within:bg-hover hover:bg-hover',
        active && 'bg-hover font-medium',
        remove.isPending && 'opacity-50',
      )}
    >
      <Link
        id={titleId}
        to="/chat/$conversationId"
        params={{ conversationId: conversation.id }}
        onClick={onOpen}
        title={title}
        className="min-w-0 flex-1 truncate rounded-lg px-3 py-2 text-sm"
      >
        {rename.isPending ? rename.variables : title}
      </Link>
      <div
        className={cn(
          'flex pr-1 [@media(hover:hover)]:w-0 [@media(hover:hover)]:overflow-hidden [@media(hover:hover)]:pr-0',
          'group-focus-within:w-auto! group-focus-within:overflow-visible! group-focus-within:pr-1! group-hover:w-auto! group-hover:overflow-visible! group-hover:pr-1!',
          active && 'w-auto! overflow-visible! pr-1!',
        )}
      >
        <Button
          variant="quiet"
          size="iconSmall"
          aria-label={t('chat.rename')}
          aria-describedby={titleId}
          title={t('chat.rename')}
          onClick={() => setRenaming(true)}
        >
          <Pencil className="size-4" aria-hidden />
        </Button>
        <Button
          variant="quiet"
          size="iconSmall"
          aria-label={t('chat.delete')}
          aria-describedby={titleId}
          title={t('chat.delete')}
          onClick={() => setDeleting(true)}
        >
          <Trash2 className="size-4" aria-hidden />
        </Button>
      </div>
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t('chat.deleteTitle')}
        text={t('chat.deleteText', { title })}
        action={t('chat.delete')}
        onConfirm={() => remove.mutate()}
      />
    </li>
  );
}

import { Pencil } from 'lucide-react';
import { memo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';

import type { PathStep } from './message-tree';
import { QuestionEditor } from './question-editor';
import { VersionSwitch } from './version-switch';

interface UserMessageProps extends PathStep {
  onSelect: (messageId: string) => void;
  /** Asks the question in other words, beside this one. Rejects if it was not sent. */
  onEdit: (parentId: string | null, content: string) => Promise<unknown>;
}

export const UserMessage = memo(function UserMessage({
  message,
  onSelect,
  onEdit,
  ...versions
}: UserMessageProps) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  return (
    <article
      data-role={message.role}
      data-status={message.status}
      data-message-id={message.id}
      aria-label={t('chat.yourMessage')}
      className="message flex flex-col items-end"
    >
      {editing ? (
        <QuestionEditor
          content={message.content}
          onSend={(content) => onEdit(message.parent_id, content)}
          onClose={() => setEditing(false)}
        />
      ) : (
        <>
          <p className="max-w-[85%] rounded-2xl rounded-br-md bg-bubble px-4 py-2.5 break-words whitespace-pre-wrap">
            {message.content}
          </p>
          <div className="mt-1 flex items-center gap-x-1">
            <VersionSwitch {...versions} onSelect={onSelect} />
            <CopyButton label={t('chat.copyMessage')} text={() => message.content} />
            <Button
              variant="quiet"
              size="iconSmall"
              aria-label={t('chat.edit')}
              title={t('chat.edit')}
              onClick={() => setEditing(true)}
            >
              <Pencil className="size-4" aria-hidden />
            </Button>
          </div>
        </>
      )}
    </article>
  );
});

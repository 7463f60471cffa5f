import { Link } from '@tanstack/react-router';
import { Boxes, MessageSquare, Sparkles } from 'lucide-react';
import { useTranslation } from 'react-i18next';

const look =
  'flex min-w-0 flex-1 flex-col items-center gap-0.5 rounded-lg px-1 py-1.5 text-xs text-muted transition-colors hover:bg-hover hover:text-foreground';
const active = { className: 'bg-hover font-medium text-foreground' };

/** From one part of Atoll to another. */
export function AppNav({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('nav.parts')} className="flex gap-1 px-3">
      <Link to="/chat" onClick={onOpen} className={look} activeProps={active}>
        <MessageSquare className="size-4.5" aria-hidden /> {t('nav.chat')}
      </Link>
      <Link to="/studio" onClick={onOpen} className={look} activeProps={active}>
        <Sparkles className="size-4.5" aria-hidden /> {t('nav.studio')}
      </Link>
      <Link to="/models" onClick={onOpen} className={look} activeProps={active}>
        <Boxes className="size-4.5" aria-hidden /> {t('nav.models')}
      </Link>
    </nav>
  );
}

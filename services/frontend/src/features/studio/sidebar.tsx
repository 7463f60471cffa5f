import { Link } from '@tanstack/react-router';
import { LayoutGrid } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { AppNav } from '@/components/app-nav';
import { Brand } from '@/components/brand';
import { UserMenu } from '@/features/auth/user-menu';

import { taskNames, tasks } from './tasks';

const look =
  'flex items-center gap-2.5 rounded-lg px-3 py-2 text-sm transition-colors hover:bg-hover';
const active = { className: 'bg-hover font-medium' };

/** The left column of studio and models: parts, tasks, user. */
export function StudioSidebar({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 pt-3">
      <Brand />
      <AppNav onOpen={onOpen} />
      <nav
        aria-label={t('studio.tasksLabel')}
        className="grid min-h-0 flex-1 content-start gap-0.5 overflow-y-auto px-3 py-1"
      >
        <Link
          to="/studio"
          activeOptions={{ exact: true }}
          onClick={onOpen}
          className={look}
          activeProps={active}
        >
          <LayoutGrid className="size-4 text-muted" aria-hidden /> {t('studio.allTasks')}
        </Link>
        {taskNames.map((task) => {
          const Icon = tasks[task].icon;
          return (
            <Link
              key={task}
              to="/studio/$task"
              params={{ task }}
              onClick={onOpen}
              className={look}
              activeProps={active}
            >
              <Icon className="size-4 text-muted" aria-hidden />
              {t(`studio.tasks.${task}.title`)}
            </Link>
          );
        })}
      </nav>
      <div className="border-t border-border p-2">
        <UserMenu />
      </div>
    </div>
  );
}

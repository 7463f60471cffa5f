import { getRouteApi } from '@tanstack/react-router';

import { isTask } from '@/features/studio/tasks';
import { TaskPage } from '@/features/studio/task-page';

import { NotFoundPage } from './not-found';

const route = getRouteApi('/signed-in/studio-frame/studio/$task');

export function StudioTaskPage() {
  const { task } = route.useParams();
  const { job } = route.useSearch();
  // Another task starts from a clean state: its input, its result.
  return isTask(task) ? <TaskPage key={task} task={task} job={job} /> : <NotFoundPage />;
}

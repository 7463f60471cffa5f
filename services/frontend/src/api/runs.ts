import { http, unwrap } from './client';

export const runs = {
  cancel: (id: string) =>
    unwrap(http.POST('/api/runs/{run_id}/cancel', { params: { path: { run_id: id } } })),
};

/** Where the events of a run are read. */
export const runEventsUrl = (id: string) => `/api/runs/${encodeURIComponent(id)}/events`;

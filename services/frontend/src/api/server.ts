import { http, unwrap } from './client';

export const server = {
  config: (signal: AbortSignal) => unwrap(http.GET('/api/config', { signal })),
  models: async (signal: AbortSignal) => (await unwrap(http.GET('/api/models', { signal }))).items,
};

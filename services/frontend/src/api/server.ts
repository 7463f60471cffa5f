import { http, unwrap } from './client';

export const server = {
  config: (signal: AbortSignal) => unwrap(http.GET('/api/config', { signal })),
  models: async (signal: AbortSignal) => (await unwrap(http.GET('/api/models', { signal }))).items,
  slots: (signal: AbortSignal) => unwrap(http.GET('/api/slots', { signal })),
  card: (id: string, signal: AbortSignal) =>
    unwrap(http.GET('/api/models/{model_id}/card', { params: { path: { model_id: id } }, signal })),
};

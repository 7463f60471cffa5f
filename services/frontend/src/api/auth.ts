import { http, setCsrfToken, unwrap } from './client';
import type { ApiKeyRequest, Envelope } from './types';

function remember(envelope: Envelope): Envelope {
  setCsrfToken(envelope.csrf_token);
  return envelope;
}

interface Credentials {
  username: string;
  password: string;
}

export const auth = {
  me: async (signal?: AbortSignal) => remember(await unwrap(http.GET('/api/auth/me', { signal }))),
  login: async (body: Credentials) =>
    remember(await unwrap(http.POST('/api/auth/login', { body }))),
  register: (body: Credentials) => unwrap(http.POST('/api/auth/register', { body })),
  logout: () => unwrap(http.POST('/api/auth/logout')),
  changePassword: async (body: { current_password: string; new_password: string }) =>
    remember(await unwrap(http.POST('/api/auth/password', { body }))),

  sessions: async (signal: AbortSignal) =>
    (await unwrap(http.GET('/api/auth/sessions', { signal }))).items,
  revokeSession: (id: string) =>
    unwrap(
      http.DELETE('/api/auth/sessions/{session_id}', { params: { path: { session_id: id } } }),
    ),
  revokeOtherSessions: () => unwrap(http.DELETE('/api/auth/sessions')),

  apiKeys: async (signal: AbortSignal) =>
    (await unwrap(http.GET('/api/auth/api-keys', { signal }))).items,
  createApiKey: (body: ApiKeyRequest) => unwrap(http.POST('/api/auth/api-keys', { body })),
  revokeApiKey: (id: string) =>
    unwrap(http.DELETE('/api/auth/api-keys/{key_id}', { params: { path: { key_id: id } } })),
};

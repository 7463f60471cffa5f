import { http, unwrap } from './client';

const inConversation = (id: string) => ({ path: { conversation_id: id } });

export interface NewMessage {
  content: string;
  /** Absent: after the newest leaf. Null: a new first question. */
  parent_id?: string | null;
  model?: string | null;
}

export const conversations = {
  list: (query: { query?: string; cursor?: string; limit?: number }, signal: AbortSignal) =>
    unwrap(http.GET('/api/conversations', { params: { query }, signal })),
  get: (id: string, signal: AbortSignal) =>
    unwrap(
      http.GET('/api/conversations/{conversation_id}', { params: inConversation(id), signal }),
    ),
  create: (body: { title?: string; model?: string }) =>
    unwrap(http.POST('/api/conversations', { body })),
  update: (id: string, body: { title?: string; model?: string }) =>
    unwrap(
      http.PATCH('/api/conversations/{conversation_id}', { params: inConversation(id), body }),
    ),
  remove: (id: string) =>
    unwrap(http.DELETE('/api/conversations/{conversation_id}', { params: inConversation(id) })),

  messages: (id: string, query: { cursor?: string; limit?: number }, signal: AbortSignal) =>
    unwrap(
      http.GET('/api/conversations/{conversation_id}/messages', {
        params: { ...inConversation(id), query },
        signal,
      }),
    ),
  send: (id: string, body: NewMessage) =>
    unwrap(
      http.POST('/api/conversations/{conversation_id}/messages', {
        params: inConversation(id),
        body,
      }),
    ),
  regenerate: (id: string, messageId: string, body: { model?: string | null }) =>
    unwrap(
      http.POST('/api/conversations/{conversation_id}/messages/{message_id}/regenerate', {
        params: { path: { conversation_id: id, message_id: messageId } },
        body,
      }),
    ),
};

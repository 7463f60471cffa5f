import { post } from './client';
import { ApiError } from './error';
import type { StoredFile } from './types';

/** Where the bytes of a stored file are read. */
export const contentUrl = (id: string) => `/api/files/${encodeURIComponent(id)}/content`;

export const files = {
  upload: async (file: File, signal: AbortSignal) => {
    const form = new FormData();
    form.append('file', file, file.name);
    const response = await post('/api/files', form, { accept: 'application/json', signal });
    return (await response.json()) as StoredFile;
  },
  content: async (id: string, signal: AbortSignal) => {
    const response = await fetch(contentUrl(id), { signal }).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      throw ApiError.network(cause);
    });
    if (response.ok) return response.blob();
    throw ApiError.from(response, await response.json().catch(() => null));
  },
};

import { ApiError } from './error';
import type { StoredFile } from './types';
import { upload } from './upload';

/** Where the bytes of a stored file are read. */
export const contentUrl = (id: string) => `/api/files/${encodeURIComponent(id)}/content`;

export const files = {
  upload: async (file: File, signal: AbortSignal, onSent?: (fraction: number) => void) => {
    const form = new FormData();
    form.append('file', file, file.name);
    return (await upload('/api/files', form, { signal, onSent })) as StoredFile;
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

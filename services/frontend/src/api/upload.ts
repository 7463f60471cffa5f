/** A file on its way, with how much of it is sent: `fetch` does not tell, XMLHttpRequest does. */
import { codeOf, csrfHeaders, refreshToken } from './client';
import { ApiError } from './error';

interface UploadOptions {
  signal: AbortSignal;
  /** Called with 0 to 1 as the body leaves. */
  onSent?: (fraction: number) => void;
}

/** POSTs a form. Throws ApiError for a refusal or a lost connection, AbortError when cancelled. */
export async function upload(path: string, form: FormData, options: UploadOptions) {
  let response = await attempt(path, form, options);
  if (response.status === 403 && (await codeOf(response)) === 'csrf_failed') {
    if (await refreshToken()) response = await attempt(path, form, options);
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  throw ApiError.from(response, body);
}

function attempt(path: string, form: FormData, { signal, onSent }: UploadOptions) {
  return new Promise<Response>((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open('POST', path);
    request.responseType = 'text';
    for (const [name, value] of Object.entries(csrfHeaders())) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable && total > 0) onSent?.(loaded / total);
    };
    request.onload = () => resolve(asResponse(request));
    request.onerror = () => reject(ApiError.network(new TypeError('The upload broke off.')));
    request.onabort = () => reject(new DOMException('Aborted', 'AbortError'));
    request.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    request.send(form);
  });
}

function asResponse(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return new Response(request.responseText, {
    status: request.status,
    statusText: request.statusText,
    headers,
  });
}

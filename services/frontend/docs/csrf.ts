interface OutgoingRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
}

const unsafe = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Lets somebody who is signed in try out unsafe methods: adds the session's CSRF token. */
export async function withCsrfToken(request: OutgoingRequest): Promise<OutgoingRequest> {
  const headers = request.headers ?? {};
  if (!unsafe.has(request.method?.toUpperCase() ?? 'GET') || 'Authorization' in headers) {
    return request;
  }
  const response = await fetch('/api/auth/me');
  if (!response.ok) return request;
  const { csrf_token } = (await response.json()) as { csrf_token: string };
  return { ...request, headers: { ...headers, 'X-CSRF-Token': csrf_token } };
}

interface ErrorBody {
  message?: string;
  code?: string | null;
  param?: string | null;
  request_id?: string | null;
}

/** A refusal of the server, or no answer at all (status 0, code `network_error`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  /** Seconds the server asks to wait, if it said so. */
  readonly retryAfter: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { requestId?: string | null; retryAfter?: number | null } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = more.requestId ?? null;
    this.retryAfter = more.retryAfter ?? null;
  }

  /** Reads the one error shape; a body that has another shape still gives a usable error. */
  static from(response: Response, body: unknown): ApiError {
    const error = errorBody(body);
    const seconds = Number(response.headers.get('Retry-After') ?? NaN);
    return new ApiError(
      response.status,
      error.code ?? `http_${response.status}`,
      error.message ?? response.statusText,
      {
        requestId: error.request_id ?? response.headers.get('X-Request-Id'),
        retryAfter: Number.isFinite(seconds) ? seconds : null,
      },
    );
  }

  static network(cause: unknown): ApiError {
    const error = new ApiError(0, 'network_error', 'The server cannot be reached.');
    error.cause = cause;
    return error;
  }
}

function errorBody(body: unknown): ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return {};
  const { error } = body;
  return typeof error === 'object' && error !== null ? error : {};
}

export function hasCode(error: unknown, ...codes: string[]): error is ApiError {
  return error instanceof ApiError && codes.includes(error.code);
}

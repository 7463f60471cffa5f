/** The tasks under `/inference/`: one request, its progress, its answer. */
import { post } from './client';
import { ApiError } from './error';
import { readEvents } from './event-stream';
import type { TaskAnswer, TaskName } from './types';

export type Parameters = Record<string, string | number>;

export interface TaskRequest {
  task: TaskName;
  input: File | string;
  parameters: Parameters;
}

/** How far the work is: `fraction` from 0 to 1, and what is done now as the engine calls it. */
export interface Progress {
  fraction: number;
  stage: string | null;
}

interface ErrorData {
  error: { code?: string | null; message?: string; type?: string; request_id?: string | null };
}

function bodyOf({ input, parameters }: TaskRequest): FormData | string {
  if (typeof input === 'string') return JSON.stringify({ text: input, ...parameters });
  const form = new FormData();
  form.append('file', input, input.name);
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value));
  return form;
}

/** Status of an error that is told inside a stream, where there is none. */
function statusOf(type: string | undefined): number {
  if (type === 'invalid_request_error') return 400;
  return type === 'rate_limit_error' ? 429 : 503;
}

/**
 * Asks for `request` and tells its progress. Aborting `signal` ends the work on the server too.
 * Throws ApiError for every refusal, told before the stream or within it.
 */
export async function runTask(
  request: TaskRequest,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<TaskAnswer> {
  const response = await post(`/inference/${request.task}`, bodyOf(request), {
    accept: 'text/event-stream',
    signal,
  });
  const end: { answer: TaskAnswer | null; error: ApiError | null } = { answer: null, error: null };
  try {
    if (response.body !== null) {
      await readEvents(response.body, ({ event, data }) => {
        if (event === 'progress') {
          onProgress(JSON.parse(data) as Progress);
          return false;
        }
        if (event === 'error') {
          const { error } = JSON.parse(data) as ErrorData;
          end.error = new ApiError(
            statusOf(error.type),
            error.code ?? 'unknown',
            error.message ?? '',
            { requestId: error.request_id ?? null },
          );
          return true;
        }
        if (event !== 'done') return false;
        end.answer = JSON.parse(data) as TaskAnswer;
        return true;
      });
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw ApiError.network(cause);
  }
  if (end.error !== null) throw end.error;
  if (end.answer === null) throw ApiError.network(new Error('The answer broke off.'));
  return end.answer;
}

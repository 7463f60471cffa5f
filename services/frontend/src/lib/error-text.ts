import type { TFunction } from 'i18next';

import { ApiError } from '@/api/error';
import en from '@/i18n/en.json';

type ErrorCode = keyof typeof en.errors;
type AnswerErrorCode = keyof typeof en.answerErrors;

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(en.errors, code);
}

function isAnswerErrorCode(code: string): code is AnswerErrorCode {
  return Object.hasOwn(en.answerErrors, code);
}

/**
 * What went wrong and what to do, in the language of the page. A code that has no text here
 * shows what the server wrote; its faults also show the request number.
 */
export function errorText(error: unknown, t: TFunction): string {
  if (!(error instanceof ApiError)) return t('errors.unknown');
  if (error.code === 'too_many_attempts' && error.retryAfter !== null) {
    return t('errors.too_many_attempts_wait', { count: error.retryAfter });
  }
  const text = isErrorCode(error.code)
    ? t(`errors.${error.code}`)
    : error.message || t('errors.unknown');
  return error.status >= 500 && error.requestId !== null
    ? `${text} (${t('app.requestId', { id: error.requestId })})`
    : text;
}

/**
 * The same, but in the server's own words wherever it has some: what it says of a file, a model or
 * a limit names numbers and commands that no text here knows.
 */
export function serverText(error: unknown, t: TFunction): string {
  if (!(error instanceof ApiError) || error.status === 0 || error.message === '') {
    return errorText(error, t);
  }
  return error.status >= 500 && error.status !== 503 && error.requestId !== null
    ? `${error.message} (${t('app.requestId', { id: error.requestId })})`
    : error.message;
}

/** What to do about an answer that failed with `code`. */
export function answerRemedy(code: string | undefined, t: TFunction): string {
  return t(
    code !== undefined && isAnswerErrorCode(code) ? `answerErrors.${code}` : 'answerErrors.unknown',
  );
}

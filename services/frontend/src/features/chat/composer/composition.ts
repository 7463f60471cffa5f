import type { KeyboardEvent } from 'react';

/**
 * True while an input method is composing: then Enter chooses a candidate and must not send.
 * Safari ends the composition before that keydown, but still gives it the key code 229.
 */
export function isComposing(event: KeyboardEvent): boolean {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only sign Safari gives
  return event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229;
}

import { useLayoutEffect, useRef } from 'react';

/** A ref for a text area that is as high as its text; its own max-height is the limit. */
export function useAutosize(text: string) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  return field;
}

import { useEffect, useRef } from 'react';

/** Calls `onFile` with a file that is pasted anywhere on the page. */
export function usePastedFile(onFile: (file: File) => void): void {
  const callback = useRef(onFile);
  useEffect(() => {
    callback.current = onFile;
  });
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = event.clipboardData?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      callback.current(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}

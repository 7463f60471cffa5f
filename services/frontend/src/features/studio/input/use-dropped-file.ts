import { useEffect, useRef, useState } from 'react';

function hasFile(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

/**
 * Calls `onFile` with a file that is dropped anywhere on the page, which the browser would open
 * otherwise. True while one is held over the page.
 */
export function useDroppedFile(onFile: (file: File) => void): boolean {
  const callback = useRef(onFile);
  useEffect(() => {
    callback.current = onFile;
  });
  // Elements are entered and left one by one; over the page is whoever entered more often.
  const [depth, setDepth] = useState(0);
  useEffect(() => {
    const connection = new AbortController();
    const { signal } = connection;
    const listen = (name: 'dragenter' | 'dragleave' | 'dragover', act: () => void) =>
      document.addEventListener(
        name,
        (event) => {
          if (!hasFile(event)) return;
          event.preventDefault();
          act();
        },
        { signal },
      );
    listen('dragenter', () => setDepth((now) => now + 1));
    listen('dragleave', () => setDepth((now) => Math.max(0, now - 1)));
    listen('dragover', () => undefined);
    document.addEventListener(
      'drop',
      (event) => {
        setDepth(0);
        const file = event.dataTransfer?.files[0];
        if (file === undefined) return;
        event.preventDefault();
        callback.current(file);
      },
      { signal },
    );
    return () => connection.abort();
  }, []);
  return depth > 0;
}

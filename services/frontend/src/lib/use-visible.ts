import { useEffect, useRef } from 'react';

/** Calls `onVisible` whenever the returned ref's element comes near the visible area. */
export function useVisible<Target extends Element>(onVisible: () => void, margin = '300px') {
  const target = useRef<Target>(null);
  const callback = useRef(onVisible);
  useEffect(() => {
    callback.current = onVisible;
  });
  useEffect(() => {
    const element = target.current;
    if (element === null || typeof IntersectionObserver === 'undefined') return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) callback.current();
      },
      { rootMargin: margin },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [margin]);
  return target;
}

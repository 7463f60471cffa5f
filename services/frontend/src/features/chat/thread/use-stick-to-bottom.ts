import { useCallback, useEffect, useRef, useState } from 'react';

/** Pixels from the end that still count as being at the end. */
const tolerance = 32;

/**
 * Keeps a scrolling area at its end while its content grows, until the reader scrolls up;
 * from then on it stays where it is, until the reader comes back to the end.
 */
export function useStickToBottom() {
  const viewport = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const lastTop = useRef(0);
  const [atBottom, setAtBottom] = useState(true);

  const toBottom = useCallback((behavior: ScrollBehavior = 'auto') => {
    following.current = true;
    const area = viewport.current;
    area?.scrollTo({ top: area.scrollHeight, behavior });
  }, []);

  useEffect(() => {
    const area = viewport.current;
    const inner = content.current;
    if (area === null || inner === null) return;

    const onScroll = () => {
      const distance = area.scrollHeight - area.clientHeight - area.scrollTop;
      // Growing content also widens the distance; only a move upwards is the reader's wish.
      if (distance <= tolerance) following.current = true;
      else if (area.scrollTop < lastTop.current - 1) following.current = false;
      lastTop.current = area.scrollTop;
      setAtBottom(distance <= tolerance || following.current);
    };
    const onResize = () => {
      if (following.current) area.scrollTop = area.scrollHeight;
      else onScroll();
    };
    area.addEventListener('scroll', onScroll, { passive: true });
    const observer = new ResizeObserver(onResize);
    observer.observe(inner);
    observer.observe(area);
    return () => {
      area.removeEventListener('scroll', onScroll);
      observer.disconnect();
    };
  }, []);

  return { viewport, content, atBottom, toBottom };
}

import { useCallback, useEffect, useRef } from 'preact/hooks';
import { isSomebodyHere } from './presence.ts';

/**
 * Looks at once and then again and again, while somebody is here; an earlier look ends with the next.
 * @param look what it throws is `onFailed`'s @returns looks at once
 */
export function useRefresh(
  look: (signal: AbortSignal) => Promise<void>,
  every: number,
  onFailed: (error: unknown) => void,
): () => void {
  const running = useRef<AbortController>(undefined);
  const refresh = useCallback(() => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    look(own.signal).catch((error: unknown) => {
      if (!own.signal.aborted) onFailed(error);
    });
  }, [look, onFailed]);
  useEffect(() => {
    refresh();
    const again = () => {
      if (isSomebodyHere()) refresh();
    };
    const timer = setInterval(again, every);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
      running.current?.abort();
    };
  }, [refresh, every]);
  return refresh;
}

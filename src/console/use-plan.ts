import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ConsolePlan, ConsolePolicyKey } from '../wire/console.ts';
import { post } from './call.ts';

/** Milliseconds without a key before the server is asked, at least. */
const shortestPause = 250;
/** And as many times what the last answer took: the mesh may be large, and the server has other work. */
const pauses = 3;

export interface Planned {
  /** What applying would do; undefined while it is not known of this text. */
  readonly plan: ConsolePlan | undefined;
  /** The last that was known, of this text or the one before it. */
  readonly last: ConsolePlan | undefined;
  /** Asks again: others change policies too. */
  readonly renew: () => void;
}

/** What a text would do, asked for while it is typed. */
export function usePlan(
  text: string,
  remove: readonly ConsolePolicyKey[],
  onFailed: (error: unknown) => void,
): Planned {
  const [plan, setPlan] = useState<{ readonly of: string; readonly plan: ConsolePlan }>();
  const [round, setRound] = useState(0);
  const took = useRef(0);
  useEffect(() => {
    const abort = new AbortController();
    const pause = Math.max(shortestPause, took.current * pauses);
    const timer = setTimeout(() => {
      const asked = performance.now();
      const ask = async () => {
        const fresh = await post<ConsolePlan>('plan', { text, remove }, abort.signal);
        took.current = performance.now() - asked;
        setPlan({ of: text, plan: fresh });
      };
      ask().catch((error: unknown) => {
        if (!abort.signal.aborted) onFailed(error);
      });
    }, pause);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [text, remove, round, onFailed]);
  const renew = useCallback(() => {
    setPlan(undefined);
    setRound((before) => before + 1);
  }, []);
  return { plan: plan?.of === text ? plan.plan : undefined, last: plan?.plan, renew };
}

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ConsoleChange, ConsolePlan } from '../wire/console.ts';
import { failing, post } from './call.ts';

/** Milliseconds without a key before the server is asked, at least. */
const shortestPause = 250;
/** And as many times what the last answer took: the mesh may be large, and the server has other work. */
const pauses = 3;

export interface Planned {
  /** What applying would do; undefined while it is not known of this change. */
  readonly plan: ConsolePlan | undefined;
  /** The last that was known of this document, as it is or was a moment ago. */
  readonly last: ConsolePlan | undefined;
  /** Why it is not known; empty where nothing went wrong. */
  readonly problem: string;
  /** Asks again: others change policies too. */
  readonly renew: () => void;
}

interface Known {
  readonly of: string;
  readonly document: string;
  readonly plan?: ConsolePlan;
  readonly problem: string;
}

/**
 * What a change would do, asked for while it is typed.
 * @param document what it is a change of @param generation of what holds of it: with another one it is asked anew
 */
export function usePlan(
  change: ConsoleChange,
  document: string,
  onEnded: () => void,
  generation?: number,
): Planned {
  const key = JSON.stringify(change);
  const [known, setKnown] = useState<Known>();
  const [round, setRound] = useState(0);
  const took = useRef(0);
  useEffect(() => {
    const abort = new AbortController();
    const pause = Math.max(shortestPause, took.current * pauses);
    const timer = setTimeout(() => {
      const asked = performance.now();
      const ask = async () => {
        const plan = await post<ConsolePlan>('plan', change, abort.signal);
        if (abort.signal.aborted) return;
        took.current = performance.now() - asked;
        setKnown({ of: key, document, plan, problem: '' });
      };
      ask().catch((error: unknown) => {
        if (abort.signal.aborted) return;
        failing((problem) => setKnown({ of: key, document, problem }), onEnded)(error);
      });
    }, pause);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, document, generation, round, onEnded]);
  const renew = useCallback(() => {
    setKnown(undefined);
    setRound((before) => before + 1);
  }, []);
  const isOfThis = known?.of === key && known.document === document;
  return {
    plan: isOfThis ? known.plan : undefined,
    last: known?.document === document ? known.plan : undefined,
    problem: isOfThis ? known.problem : '',
    renew,
  };
}

import { Random } from '../oracle/generate/index.ts';
import { type Checked, checkPair, everyRequest } from './check.ts';
import { edits, harmless } from './edits.ts';
import { randomPair } from './pairs.ts';
import { largePair } from './random-requests.ts';
import { told } from './told.ts';

/** What came of many pairs of worlds. */
export interface Findings {
  readonly pairs: number;
  readonly requests: number;
  readonly same: number;
  readonly different: number;
  readonly undecided: number;
  /** Of the different ones, those of which a request among those tried shows it too. */
  readonly shown: number;
  /** Requests about pairs that the engine calls the same. */
  readonly requestsOfSame: number;
  readonly disagreements: number;
  /** Of the first few: what is wrong, of which worlds. */
  readonly told: readonly string[];
}

export const nothingFound: Findings = {
  pairs: 0,
  requests: 0,
  same: 0,
  different: 0,
  undecided: 0,
  shown: 0,
  requestsOfSame: 0,
  disagreements: 0,
  told: [],
};

/** One pair of small worlds, and every request that can be made around them. */
export function smallRound(seed: number, most: number, before: Findings = nothingFound): Findings {
  const random = new Random(seed);
  const pair = randomPair(random, seed);
  const checked = checkPair(pair.before, pair.after, everyRequest(random, most, pair.before));
  return added(before, checked, `small ${seed} (${pair.edit})`, pair);
}

/** One pair of larger policies, mostly of the same meaning, and very many requests that are aimed at them. */
export function largeRound(seed: number, perPlace: number, before: Findings = nothingFound): Findings {
  const random = new Random(seed);
  const pair = largePair(random, random.chance(0.6) ? harmless : Object.keys(edits), perPlace);
  const checked = checkPair(pair.before, pair.after, pair.trials);
  return added(before, checked, `large ${seed} (${pair.edit})`, pair);
}

function added(
  found: Findings,
  { comparison: { outcome }, requests, differing, faults }: Checked,
  name: string,
  pair: Pick<ReturnType<typeof randomPair>, 'before' | 'after'>,
): Findings {
  const [fault] = faults;
  const text =
    fault &&
    [name, fault.what, JSON.stringify([fault.place, fault.trial]), told(pair.before), told(pair.after)].join(
      '\n',
    );
  return {
    pairs: found.pairs + 1,
    requests: found.requests + requests,
    same: found.same + Number(outcome === 'same'),
    different: found.different + Number(outcome === 'different'),
    undecided: found.undecided + Number(outcome === 'undecided'),
    shown: found.shown + Number(outcome === 'different' && differing > 0),
    requestsOfSame: found.requestsOfSame + (outcome === 'same' ? requests : 0),
    disagreements: found.disagreements + Number(fault !== undefined),
    told: text === undefined ? found.told : [...found.told, text].slice(0, 5),
  };
}

import * as steps from './steps.ts';
import * as terms from './terms.ts';
import type { Mutation } from './wrap.ts';

export type { Mutation } from './wrap.ts';

/** Renderings that are wrong in one way each, by name: the oracle is worth what it finds of them. */
export const httpMutants: Readonly<Record<string, Mutation>> = {
  ...steps.ofBoth,
  ...steps.ofHttp,
  ...terms.ofBoth,
  ...terms.ofHttp,
};
/** Terms are rendered by the same code for both; which filters there are, by other code. */
export const tcpMutants: Readonly<Record<string, Mutation>> = {
  ...steps.ofBoth,
  ...steps.ofTcp,
  ...terms.ofTcp,
};

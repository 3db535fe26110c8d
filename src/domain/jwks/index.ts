export type { KeySetState } from './followed.ts';
export { createKeySets, type KeySets, type KeySetsOptions } from './key-sets.ts';
export { describeLocation, keySetId, keySetLocation, wantedKeySets } from './location.ts';
export { readKeySet } from './read.ts';

export { doubtsOf, obstaclesOf } from './doubts.ts';
export type * from './model.ts';
export { judge, Observations } from './observations.ts';
export { createShadowObserver, type ShadowObserver } from './observer.ts';
export { createShadowService, type ShadowService } from './service.ts';
export { addTally, shadowLimits } from './tally.ts';
export { addWatch, countingOf, watchInterval } from './watches.ts';
export { completeWords, differenceWords, notCountedWords, seenWords, standingWords } from './words.ts';

export { doubtsOf } from './doubts.ts';
export type * from './model.ts';
export { judge, Observations } from './observations.ts';
export { createShadowObserver, type ShadowObserver } from './observer.ts';
export { createShadowService, type ShadowService } from './service.ts';

export { Informer } from './informer.ts';
export { type PolicyCollection, policyCollections, slimPolicy } from './policies.ts';
export { createKubernetesMeshSource, type KubernetesMeshSourceOptions } from './source.ts';

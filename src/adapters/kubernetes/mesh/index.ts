export { createKubernetesMeshSource, type KubernetesMeshSourceOptions } from './source.ts';

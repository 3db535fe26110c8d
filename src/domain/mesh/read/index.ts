export { keepLastGood, type MeshObjects } from './last-good.ts';
export { type MeshObject, type ReadObject, readMeshDocument } from './read.ts';
export { createRegistryAssembler, inOrder, toWorkload } from './registry.ts';
export { type WorkloadObject, workloadSchema } from './schema.ts';

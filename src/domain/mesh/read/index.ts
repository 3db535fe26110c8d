export { keepLastGood, type MeshObjects, type ObjectProblem } from './last-good.ts';
export {
  type MeshObject,
  type ReadObject,
  readMeshDocument,
  readWrittenObject,
  type WrittenObject,
} from './read.ts';
export { createRegistryAssembler, inOrder, toWorkload } from './registry.ts';
export { type WorkloadObject, workloadSchema } from './schema.ts';

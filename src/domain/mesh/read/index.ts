export { keepLastGood, type MeshObjects } from './last-good.ts';
export { type MeshObject, type ReadObject, readMeshDocument } from './read.ts';
export { assembleRegistry } from './registry.ts';

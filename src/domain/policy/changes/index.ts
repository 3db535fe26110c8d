export { type DiffLine, diffLines } from './line-diff.ts';
export { type PolicyRestore, restoringChange } from './restore.ts';
export { type ChangedObject, changedObjects, type DifferingObject, differingObjects } from './since.ts';

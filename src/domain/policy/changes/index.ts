export { type DiffLine, diffLines } from './line-diff.ts';
export { type PolicyRestore, restoringChange } from './restore.ts';
export { type ChangedObject, changedObjects } from './since.ts';

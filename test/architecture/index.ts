export { checkArchitecture } from './check.ts';
export { rules } from './rules.ts';
export { moduleReferences } from './scan.ts';

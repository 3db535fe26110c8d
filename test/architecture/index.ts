export { checkArchitecture, type Sources, type Violation } from './check.ts';
export { type Rules, rules } from './rules.ts';
export { type ModuleReference, moduleReferences } from './scan.ts';

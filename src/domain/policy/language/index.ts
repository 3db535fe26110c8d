export { type Completion, completionsAt } from './complete.ts';
export { type Diagnostic, diagnosticsOf, textProblems } from './diagnostics.ts';
export { hoverAt } from './hover.ts';

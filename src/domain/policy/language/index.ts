export { type Completion, completionsAt } from './complete.ts';
export { type Diagnostic, diagnosticsOf, type TextFindings, textFindings } from './diagnostics.ts';
export { hoverAt } from './hover.ts';

export { type FieldShape, fieldHelp, shapeAt } from './fields.ts';
export { policyFilesJsonSchema } from './json-schema.ts';

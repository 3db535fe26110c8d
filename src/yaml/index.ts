export { cursorAt, writingAt, type YamlCursor } from './cursor.ts';
export {
  maximumYamlBytes,
  parseYaml,
  type YamlDocument,
  type YamlLimits,
  type YamlPath,
  type YamlPlace,
  type YamlPositions,
  type YamlProblem,
  yamlDocuments,
} from './document.ts';
export { formatYaml, printYaml } from './format.ts';
export { formatPath } from './path.ts';
export { type JsonSchema, jsonSchemaOf, mend, type SchemaProblem, schemaProblems } from './strict.ts';
export { closest } from './suggestion.ts';

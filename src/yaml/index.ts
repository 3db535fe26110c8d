export { parseYaml, type YamlDocument, type YamlPath, type YamlPlace, type YamlProblem } from './document.ts';

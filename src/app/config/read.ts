import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { formatPath, type SchemaProblem, schemaProblems, type YamlPath } from '../../yaml/index.ts';
import { type ConfigDocument, parseConfigDocument } from './document.ts';
import { type EnvironmentOverride, readEnvironment } from './environment.ts';
import type { FieldContext } from './fields.ts';
import type { ConfigProblem } from './problem.ts';
import { secretReader } from './secrets.ts';
import { jsonSchema } from './shape.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What came of reading a configuration: a value, or problems; warnings in either case. */
export interface ConfigReading<T> {
  readonly config?: T;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

interface Rule {
  readonly path: YamlPath;
  readonly message: string;
  readonly mend: string;
}

export interface ConfigKind<P, T> {
  readonly schema: (context: FieldContext) => z.ZodType<P>;
  /** What the fields say together. */
  readonly check: (parsed: P) => readonly Rule[];
  readonly complete: (parsed: P) => T;
}

/** Variables of the command line itself. */
const reservedVariables: ReadonlySet<string> = new Set([
  'CITADEL_CONFIG',
  'CITADEL_SERVER',
  'CITADEL_SOCKET',
  'CITADEL_TOKEN_FILE',
  'CITADEL_HOME',
]);

/** Text to configuration: parse, override, check each field, check them together, complete. */
export function readConfig<P, T>(
  kind: ConfigKind<P, T>,
  text: string,
  source: string,
  env: Environment,
): ConfigReading<T> {
  const document = parseConfigDocument(text, source);
  if (document.problems.length > 0) return { problems: document.problems, warnings: [] };
  return readValue(kind, document, dirname(resolve(source)), env);
}

function readValue<P, T>(
  kind: ConfigKind<P, T>,
  document: ConfigDocument,
  directory: string,
  env: Environment,
): ConfigReading<T> {
  const schema = kind.schema({ directory, readSecret: secretReader(env) });
  const shape = jsonSchema(schema, 'configuration');
  const named = secretVariables(document.value);
  const environment = readEnvironment(env, shape, new Set([...reservedVariables, ...named]));
  const { warnings } = environment;
  if (environment.problems.length > 0) return { problems: environment.problems, warnings };
  const value = applyOverrides(document.value, environment.overrides);
  const parsed = schema.safeParse(value);
  const locate = (path: YamlPath) => placeOf(document, environment.overrides, path);
  if (!parsed.success)
    return {
      problems: schemaProblems(parsed.error, shape, value, document).map((problem) => ({
        ...withSource(problem, document, environment.overrides),
        path: formatPath(problem.path),
      })),
      warnings,
    };
  const broken = kind.check(parsed.data);
  if (broken.length > 0)
    return {
      problems: broken.map((rule) => ({
        ...locate(rule.path),
        path: formatPath(rule.path),
        message: rule.message,
        mend: rule.mend,
      })),
      warnings,
    };
  return { config: kind.complete(parsed.data), problems: [], warnings };
}

type Place = Pick<ConfigProblem, 'source' | 'line' | 'column'>;

function placeOf(document: ConfigDocument, overrides: readonly EnvironmentOverride[], path: YamlPath): Place {
  return overriding(overrides, path) ?? { source: document.source, ...document.position(path) };
}

/** The variable that gave the value at `path`; what it gave stands nowhere in the text. */
function overriding(overrides: readonly EnvironmentOverride[], path: YamlPath): Place | undefined {
  const override = overrides.find((one) => one.path.every((part, index) => path[index] === part));
  return override && { source: override.variable };
}

function withSource(
  { path, place, message, mend }: SchemaProblem,
  { source }: ConfigDocument,
  overrides: readonly EnvironmentOverride[],
): Omit<ConfigProblem, 'path'> {
  return {
    ...(overriding(overrides, path) ?? { source, ...place }),
    message,
    ...(mend === undefined ? {} : { mend }),
  };
}

/** `env` names within secret references are meant, whatever they begin with. */
function secretVariables(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(secretVariables);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    key === 'env' && typeof part === 'string' ? [part] : secretVariables(part),
  );
}

function applyOverrides(value: unknown, overrides: readonly EnvironmentOverride[]): unknown {
  return overrides.reduce((result, override) => withValue(result, override.path, override.value), value);
}

function withValue(target: unknown, path: YamlPath, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (target !== undefined && target !== null && (typeof target !== 'object' || Array.isArray(target)))
    return target;
  const parent: Readonly<Record<string, unknown>> = { ...target };
  return { ...parent, [first]: withValue(parent[first], rest, value) };
}

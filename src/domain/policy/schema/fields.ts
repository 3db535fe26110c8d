import type { JsonSchema, YamlPath } from '../../../yaml/index.ts';
import { isPolicyKind, policyJsonSchema, policyKinds } from '../read/index.ts';
import { policyTestShape } from '../testing/index.ts';
import { policyFieldHelp } from './help.ts';

/** The shape of each kind that a file of policies may hold, as its reader has it. */
export function kindShapes(): ReadonlyMap<string, JsonSchema> {
  return new Map<string, JsonSchema>([
    ...policyKinds.filter(isPolicyKind).map((kind) => [kind, policyJsonSchema(kind)] as const),
    ['PolicyTest', policyTestShape],
  ]);
}

/** What may stand at one place of a document, for who writes it. */
export interface FieldShape {
  /** Keys that a map may have there. */
  readonly keys: readonly string[];
  /** Values that are known whole. */
  readonly values: readonly string[];
  /** Whether it is a list, of which the rest speaks of the items. */
  readonly isList: boolean;
}

/** What may stand at a path of a document; undefined where nothing may. */
export function shapeAt(kind: string, path: YamlPath): FieldShape | undefined {
  const found = follow(kindShapes().get(kind), path);
  if (found === undefined) return undefined;
  const isList = itemsOf(found) !== undefined;
  const alternatives = alternativesOf(found).flatMap((each) => alternativesOf(itemsOf(each) ?? each));
  return {
    keys: [...new Set(alternatives.flatMap((each) => Object.keys(each.properties ?? {})))],
    values: [
      ...new Set(
        alternatives
          .flatMap((each) => [...(each.enum ?? []), ...(each.const === undefined ? [] : [each.const])])
          .map(String),
      ),
    ],
    isList,
  };
}

/** What a field means; undefined for one of which there is nothing to say. @param path within the document */
export function fieldHelp(kind: string, path: YamlPath): string | undefined {
  return policyFieldHelp(kind, path) ?? follow(kindShapes().get(kind), path)?.description;
}

function follow(shape: JsonSchema | undefined, path: YamlPath): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((at, part) => {
    if (at === undefined) return undefined;
    for (const each of alternativesOf(at)) {
      if (typeof part === 'number') {
        const items = itemsOf(each);
        if (items) return items;
        continue;
      }
      const named = each.properties?.[part];
      if (typeof named === 'object') return named;
      if (typeof each.additionalProperties === 'object') return each.additionalProperties;
    }
    return undefined;
  }, shape);
}

function alternativesOf(shape: JsonSchema): readonly JsonSchema[] {
  return shape.anyOf?.filter((each) => typeof each === 'object') ?? [shape];
}

function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
}

import type { YamlPath } from '../../../yaml/index.ts';

/** What a document that may be broken says of itself. */
export function documentOf(document: unknown): {
  readonly kind: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
} {
  const text = (path: YamlPath) => {
    const found = valueAt(document, path);
    return typeof found === 'string' ? found : undefined;
  };
  return {
    kind: text(['kind']),
    namespace: text(['metadata', 'namespace']),
    name: text(['metadata', 'name']),
  };
}

export function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined,
    value,
  );
}

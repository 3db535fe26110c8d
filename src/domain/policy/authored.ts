type Fields = Readonly<Record<string, unknown>>;

/**
 * What an author wrote of an object of the Kubernetes API, as in a file: without the API server's own bookkeeping, which
 * is longer than most policies, and grows fields that no reader here knows.
 * @param defaults for what an item of a list does not name in some answers
 */
export function authoredObject(
  object: unknown,
  defaults: { readonly apiVersion?: string; readonly kind?: string } = {},
): Fields {
  const { apiVersion, kind, metadata, spec } = fieldsOf(object);
  // The order of policies hangs on the time of creation.
  const { namespace, name, generation, creationTimestamp, labels, annotations } = fieldsOf(metadata);
  return defined({
    apiVersion: apiVersion ?? defaults.apiVersion,
    kind: kind ?? defaults.kind,
    metadata: defined({
      namespace,
      name,
      generation,
      creationTimestamp,
      labels,
      annotations: isFields(annotations) ? withoutTools(annotations) : annotations,
    }),
    spec: spec ?? {},
  });
}

/** kubectl keeps the whole object once more in an annotation of its own. */
function withoutTools(annotations: Fields): Fields {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !name.startsWith('kubectl.kubernetes.io/')),
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

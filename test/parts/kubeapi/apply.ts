import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { waitFor } from '../wait-for.ts';
import { type KubeClient, type KubeObject, kubeObject } from './client.ts';

const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});
const list = z.object({ kind: z.literal('List'), items: z.array(kubeObject) });
const definition = z.object({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() })
    .optional(),
});

/**
 * Applies each document of a manifest in its order, on the server side (a PATCH with application/apply-patch+yaml), as
 * `kubectl apply --server-side --force-conflicts` does. Where an object lies is asked of the server's discovery, so
 * kinds of a CRD applied a moment before work too. Gives the stored objects.
 */
export async function applyManifests(
  client: KubeClient,
  yaml: string,
  {
    namespace = 'default',
    fieldManager = 'citadel-test',
  }: { namespace?: string; fieldManager?: string } = {},
): Promise<KubeObject[]> {
  const applied: KubeObject[] = [];
  for (const object of parseManifests(yaml)) {
    const path = await pathOf(client, object, namespace);
    const query = `?fieldManager=${encodeURIComponent(fieldManager)}&force=true`;
    const contentType = 'application/apply-patch+yaml';
    const stored = kubeObject.parse(await client.request('PATCH', path + query, object, { contentType }));
    if (stored.kind === 'CustomResourceDefinition') await established(client, path);
    applied.push(stored);
  }
  return applied;
}

/** Reads a YAML stream into objects; a `List` becomes its items, an empty document nothing. */
function parseManifests(yaml: string): KubeObject[] {
  const documents = parseAllDocuments(yaml);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`not YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null) return [];
    const asList = list.safeParse(value);
    return asList.success ? asList.data.items : [kubeObject.parse(value)];
  });
}

async function pathOf(client: KubeClient, object: KubeObject, namespace: string): Promise<string> {
  const { apiVersion, kind, metadata } = object;
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const resource = await waitFor(
    async () => {
      const { resources } = resourceList.parse(await client.request('GET', base));
      return resources.find((each) => each.kind === kind && !each.name.includes('/'));
    },
    { deadline: 10_000, what: `the kind ${kind} of ${apiVersion}` },
  );
  const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : '';
  return `${base}${scope}/${resource.name}/${metadata.name}`;
}

async function established(client: KubeClient, path: string): Promise<void> {
  await waitFor(
    async () => {
      const crd = definition.parse(await client.request('GET', path));
      return crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
    },
    { what: `${path} to be established` },
  );
}

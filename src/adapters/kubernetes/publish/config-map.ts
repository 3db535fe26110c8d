import { type ApiClient, field, isNamespaceTerminating, text, unexpectedReply } from '../api/index.ts';

/** Where istio's clients look for the root inside the ConfigMap that is mounted into their pod. */
const rootKey = 'root-cert.pem';

const labels = { 'app.kubernetes.io/managed-by': 'citadel', 'istio.io/config': 'true' };
const fieldManager = 'citadel';

/** The published root in a ConfigMap object; undefined when there is none. */
export function readRoot(object: unknown): string | undefined {
  return text(object, 'data', rootKey);
}

/** Whether objects may still be made in this namespace. */
export function isActiveNamespace(object: unknown): boolean {
  return (
    field(object, 'metadata', 'deletionTimestamp') === undefined &&
    text(object, 'status', 'phase') !== 'Terminating'
  );
}

/**
 * Makes the ConfigMap, or puts the root into the one that is there; its other keys and labels stay. Does nothing in a
 * namespace that is on its way out.
 * @param exists whether one was seen; being wrong costs a second request
 * @throws CitadelError Unavailable
 */
export async function writeRoot(
  api: ApiClient,
  place: { readonly namespace: string; readonly name: string },
  pem: string,
  exists: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = place;
  const collection = `/api/v1/namespaces/${namespace}/configmaps`;
  const data = { [rootKey]: pem };
  const query = { fieldManager };
  const create = () =>
    api.request(
      {
        method: 'POST',
        path: collection,
        query,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data },
      },
      signal,
    );
  const patch = () =>
    api.request(
      {
        method: 'PATCH',
        path: `${collection}/${name}`,
        query,
        contentType: 'application/merge-patch+json',
        body: { data },
      },
      signal,
    );
  let reply = await (exists ? patch() : create());
  if (reply.status === 404 && exists) reply = await create();
  else if (reply.status === 409 && !exists) reply = await patch();
  const written = reply.status === 200 || reply.status === 201;
  const gone = reply.status === 404 || isNamespaceTerminating(reply);
  if (!written && !gone) throw unexpectedReply(`write configmap in ${namespace}`, reply);
}

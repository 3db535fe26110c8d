import type { ProxyMode } from '../../../domain/mesh/index.ts';
import { field, pick, text } from '../api/index.ts';
import type { Reading } from './informer.ts';
import { annotations } from './pod.ts';

/** What a namespace says of the proxies of its pods, by the annotation that a pod may have too. */
export function readNamespace(object: unknown): Reading<ProxyMode> {
  const written = text(object, 'metadata', 'annotations', annotations.proxy);
  if (written === undefined) return { problems: [] };
  if (written === 'none' || written === 'explicit' || written === 'capture')
    return { value: written, problems: [] };
  return { problems: [`${annotations.proxy}: must be none, explicit or capture`] };
}

/** What readNamespace needs. */
export function slimNamespace(object: unknown): unknown {
  const written = pick(field(object, 'metadata', 'annotations'), annotations.proxy);
  return { metadata: { ...pick(field(object, 'metadata'), 'name'), annotations: written } };
}

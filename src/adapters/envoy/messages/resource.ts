import { hash } from 'node:crypto';
import type { DiscoveryResource } from '../../../domain/ports/index.ts';
import type { MessageType } from './any.ts';

/** The types that are served, in the order of their dependence. */
export const resourceTypes = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoints: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
  extension: 'envoy.config.core.v3.TypedExtensionConfig',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
} as const;

/** Encodes a message once; its version is the hash of its bytes. */
export function resource<T>(name: string, type: MessageType<T>, message: T): DiscoveryResource {
  const value = type.encode(message).finish();
  return { name, version: hash('sha256', value, 'hex').slice(0, 32), value };
}

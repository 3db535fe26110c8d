import type { MeshSettings } from '../../domain/mesh/index.ts';
import { Metadata } from '../../gen/envoy/config/core/v3/base.ts';

/** Metadata that has no meaning but that what carries it changes with it: Envoy drains what is open under the earlier one. */
export function changedBy(reasons: Readonly<Record<string, unknown>>): { readonly metadata?: Metadata } {
  return Object.keys(reasons).length === 0
    ? {}
    : { metadata: Metadata.fromPartial({ filterMetadata: { 'citadel.dev': reasons } }) };
}

/** Of what speaks mutual TLS: for a change of certificates, bundles or CRLs alone, Envoy drains nothing. */
export function drainGeneration(settings: MeshSettings): Readonly<Record<string, number>> {
  return settings.drainGeneration > 0 ? { drainGeneration: settings.drainGeneration } : {};
}

import type { DiscoveryAnswer, DiscoveryResource } from '../../../domain/ports/index.ts';
import type { Request } from './request.ts';

export type Variant = Request['variant'];
export interface Push {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly DiscoveryResource[];
  readonly removed: readonly string[];
  /** Those of the resources that take the place of another version that the client has. */
  readonly replaced: readonly string[];
}

export interface Answered {
  readonly answers: readonly DiscoveryAnswer[];
  readonly milliseconds: number;
  readonly error: string | undefined;
}

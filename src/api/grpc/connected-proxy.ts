import type { VerifiedSvid } from '../../domain/identity/index.ts';
import type { ConnectedProxy } from '../../domain/ports/index.ts';
import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { CitadelError } from '../../kernel/index.ts';

/**
 * Who a proxy is, by its certificate, and what it says of itself.
 * @param mostCharacters of the node's id and metadata
 * @throws CitadelError ResourceExhausted
 */
export function connectedProxy(
  { issuance, serial, spiffeId }: VerifiedSvid,
  node: Node | undefined,
  mostCharacters: number,
): ConnectedProxy {
  const nodeId = node?.id ?? '';
  const nodeMetadata: Readonly<Record<string, unknown>> = node?.metadata ?? {};
  if (nodeId.length + JSON.stringify(nodeMetadata).length > mostCharacters) {
    const message = `a node's id and metadata may have ${mostCharacters} characters at most`;
    throw new CitadelError('ResourceExhausted', message);
  }
  return {
    proxyKey: issuance.proxyKey,
    spiffeId: spiffeId.toString(),
    svidSerial: serial,
    nodeId,
    nodeMetadata,
  };
}

import type { Denial } from '../../gen/citadel/v1/operator.ts';

/** Who or what refused, and by which rule, in words. */
export function refusalText({ step, policy, rule, transport }: Denial): string {
  const by = `${policy}, spec.rules[${rule}]`;
  switch (step) {
    case 'PATH':
      return 'refused for the form of its path, method or host, before any policy';
    case 'token':
      return 'refused for its token';
    case 'connection':
      return transport === 'plaintext'
        ? 'refused before any policy: mutual TLS alone is taken here, and it came in plaintext'
        : 'refused before any policy, in its TLS handshake';
    case 'CUSTOM':
      return policy === '' ? 'refused by an authorizer' : `refused by the authorizer that ${by} asks`;
    case 'DENY':
      return `refused by the DENY policy ${by}`;
    default:
      return 'refused, for no rule of an ALLOW policy matched';
  }
}

/** Who called, as far as the certificate or, without one, the address tells. */
export function denialCallerText({ callerId, callerAddress, transport }: Denial): string {
  if (callerId !== '') return callerId;
  return `${transport === 'other-tls' ? 'other TLS' : 'plaintext'} at ${callerAddress}`;
}

import type { TLSSocket } from 'node:tls';

/** Whose certificate a caller must show. */
export interface WebhookClients {
  /** PEM; asked for again whenever the server's own certificate is renewed. */
  readonly authorities: () => string;
  /** Common names of which one must be the caller's; any where there are none. */
  readonly names: readonly string[];
}

/** Whether a connection is that of an API server, as far as its certificate says. */
export function isClient(socket: TLSSocket, { names }: WebhookClients): boolean {
  if (!socket.authorized) return false;
  if (names.length === 0) return true;
  const { subject } = socket.getPeerCertificate();
  return names.some((name) => name === subject.CN);
}

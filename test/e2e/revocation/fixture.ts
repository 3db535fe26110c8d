import { connect } from 'node:tls';
import { parseCertificate } from '../../../src/pki/index.ts';
import { newRequest, type TestServer } from '../../support/server.ts';

export interface Svid {
  readonly chainPem: string;
  readonly privateKeyPem: string;
  readonly serial: string;
}

/** A certificate that a workload gets by its token. */
export async function svidOf(server: TestServer, serviceAccount: string, instance: string): Promise<Svid> {
  const { csr, privateKeyPem } = await newRequest();
  const token = await server.tokens.issue(
    { namespace: 'shop', serviceAccount, instance },
    'istio-ca',
    600_000,
  );
  const { certChain } = await server.create({ csr }, { token: token.reveal() });
  const { serialHex } = parseCertificate(certChain[0] ?? '');
  return { chainPem: certChain.slice(0, -1).join(''), privateKeyPem, serial: serialHex };
}

/**
 * Calls a listener of the mesh by mutual TLS, over a new connection. TLS 1.3 tells a client only after its own handshake
 * that it is refused: so it is what comes back that counts.
 */
export function tlsCall(port: number, { chainPem, privateKeyPem }: Svid): Promise<'accepted' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ALPNProtocols: ['istio', 'http/1.1'],
      // The name is a SPIFFE ID, which Node does not check.
      rejectUnauthorized: false,
      cert: chainPem,
      key: privateKeyPem,
    });
    let heard = '';
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      socket.end();
    });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(heard.startsWith('HTTP/1.1 200') ? 'accepted' : 'refused'));
  });
}

import { join } from 'node:path';
import { connect } from 'node:tls';
import { parseCertificate } from '../../../src/pki/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { registryText } from '../../support/registry.ts';
import { newRequest, type TestServer } from '../../support/server.ts';

/** Any order, as the local operator. */
export async function citadel({ directory }: TestServer, ...args: readonly string[]) {
  return runCitadel([...args, '--socket', join(directory, 'operator.sock')], { directory, home: 'nobody' });
}

/** One workload, orders, that is called from outside of the mesh. */
export function ordersRegistry(port: number, application: number): Readonly<Record<string, string>> {
  return { 'a.yaml': registryText([{ name: 'orders', ports: [{ port, protocol: 'http', application }] }]) };
}

export interface Svid {
  readonly chainPem: string;
  readonly privateKeyPem: string;
  readonly serial: string;
  /** Fingerprint. */
  readonly issuer: string;
}

/** A certificate that a workload gets by its token. */
export async function svidOf(server: TestServer, serviceAccount: string, instance: string): Promise<Svid> {
  const { csr, privateKeyPem } = await newRequest();
  const workload = { namespace: 'shop', serviceAccount, instance };
  const token = await server.tokens.issue(workload, 'istio-ca', 600_000);
  const { certChain } = await server.create({ csr }, { token: token.reveal() });
  const [leaf = '', issuing = ''] = certChain;
  return {
    chainPem: certChain.slice(0, -1).join(''),
    privateKeyPem,
    serial: parseCertificate(leaf).serialHex,
    issuer: parseCertificate(issuing).fingerprint,
  };
}

export interface TlsCall {
  /** `refused` without an answer; otherwise what the answer says, when that is not 200. */
  readonly outcome: string;
  /** By which the client could come back; undefined where the listener gave none. */
  readonly session: Buffer | undefined;
}

/**
 * Calls a listener of the mesh by mutual TLS, over a new connection. TLS 1.3 tells a client only after its own handshake
 * that it is refused: so it is what comes back that counts.
 */
export function tlsCall(
  port: number,
  { chainPem, privateKeyPem }: Pick<Svid, 'chainPem' | 'privateKeyPem'>,
): Promise<TlsCall> {
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
    let session: Buffer | undefined;
    socket.on('session', (given: Buffer) => {
      session = given;
    });
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      socket.end();
    });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve({ outcome: outcomeOf(heard), session }));
  });
}

function outcomeOf(heard: string): string {
  if (heard === '') return 'refused';
  return heard.startsWith('HTTP/1.1 200') ? 'accepted' : (heard.split('\r\n')[0] ?? '');
}

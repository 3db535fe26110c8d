import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { CitadelError } from '../../kernel/index.ts';
import type { AgentOptions } from '../options.ts';
import { readPemCertificates, toPem } from './pem.ts';

/** The roots to authenticate the server by, PEM. Read anew for each connection. */
export type ServerRoots = (signal: AbortSignal) => Promise<string>;

/**
 * The roots that the configuration names. A pin is a root's hash, so the root itself is asked of the server, on a
 * connection that carries nothing of ours, and taken only when its hash is the pinned one.
 */
export function configuredRoots(options: AgentOptions): ServerRoots {
  const { trust } = options;
  if (trust.kind === 'bundle-file') return () => readBundleFile(trust.path);
  if (trust.kind === 'pin') return (signal) => fetchPinned(trust.sha256, options, signal);
  return async () => checkPem(trust.pem);
}

export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new CitadelError('InvalidArgument', 'the server address must be written as host:port');
  }
  return { host, port };
}

async function readBundleFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > 1024 * 1024) throw new Error('it is larger than 1 MiB');
    return checkPem(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', 'the trust bundle file cannot be used', {
      details: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

function checkPem(pem: string): string {
  const certificates = readPemCertificates(pem);
  if (certificates.length === 0)
    throw new CitadelError('FailedPrecondition', 'the trust bundle holds no certificate');
  return certificates.map((der) => toPem(der)).join('');
}

/** Whether `pin` is the SHA-256 of the certificate or of its public key; colons and case do not matter. */
function matchesPin(der: Uint8Array, pin: string): boolean {
  const wanted = pin.replaceAll(':', '').toLowerCase();
  const spki = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return [der, spki].some((bytes) => createHash('sha256').update(bytes).digest('hex') === wanted);
}

async function fetchPinned(
  pin: string,
  { server, callDeadline }: AgentOptions,
  signal: AbortSignal,
): Promise<string> {
  const chain = await presentedChain(server.address, server.serverName, callDeadline ?? 10_000, signal);
  const root = chain.find((der) => matchesPin(der, pin));
  if (root === undefined) {
    throw new CitadelError(
      'Unauthenticated',
      'the server sent no certificate with the pinned hash; is it the right one?',
    );
  }
  return toPem(root);
}

/** What a server sends in its handshake, believed in nothing. */
async function presentedChain(
  address: string,
  serverName: string | undefined,
  deadline: number,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { host, port } = splitAddress(address);
  const name = serverName ?? host;
  const socket = connect({
    host,
    port,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    ...(isIP(name) === 0 ? { servername: name } : {}),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.any([signal, AbortSignal.timeout(deadline)]) });
    return walk(socket.getPeerCertificate(true));
  } catch (cause) {
    throw new CitadelError('Unavailable', 'the server cannot be reached', { cause });
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

function walk(leaf: PeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let current: (PeerCertificate & { issuerCertificate?: PeerCertificate }) | undefined = leaf;
  while (current?.raw !== undefined && chain.length < 10 && !chain.some((der) => current?.raw.equals(der))) {
    chain.push(current.raw);
    current = current.issuerCertificate;
  }
  return chain;
}

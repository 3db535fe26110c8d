import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentSnapshot } from '../../src/agent/index.ts';
import { startProcess } from '../parts/index.ts';

/** What a peer proves itself by, and verifies others by: files, as OpenSSL reads them. */
interface PeerFiles extends AsyncDisposable {
  readonly options: readonly string[];
}

/** Milliseconds; a busy machine is no refusal. */
const deadline = 60_000;
let count = 0;

/** Writes what an agent holds at this moment. @throws Error when it holds no certificate */
async function peerFiles(directory: string, snapshot: AgentSnapshot | undefined): Promise<PeerFiles> {
  const identity = snapshot?.identity;
  const bundle = snapshot?.bundles.get(snapshot.ownTrustDomain ?? '');
  if (!identity || !bundle) throw new Error('the peer holds no certificate');
  count += 1;
  const home = join(directory, `peer-${count}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = async (name: string, text: string) => {
    const path = join(home, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const certificate = await file('chain.pem', identity.chainPem);
  const key = await file('key.pem', identity.keyPem.reveal());
  const roots = await file('bundle.pem', bundle.pem);
  const own = ['-cert', certificate, '-cert_chain', certificate, '-key', key];
  const others = ['-CAfile', roots, '-no-CApath', '-no-CAstore', '-verify_return_error', '-tls1_3'];
  return {
    options: [...own, ...others],
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

/**
 * A full handshake by `openssl s_client` as the agent that holds this, verified by the bundle that it holds.
 * @param sent after the handshake
 * @param expected in the answer; with TLS 1.3 only an answer shows that the other side took our certificate
 * @throws Error with OpenSSL's reason
 */
export async function clientHandshake(
  directory: string,
  snapshot: AgentSnapshot | undefined,
  port: number,
  sent: string,
  expected: RegExp,
): Promise<void> {
  await using files = await peerFiles(directory, snapshot);
  await using client = await startProcess(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, ...files.options, '-quiet'],
    { name: 'openssl s_client', stdin: 'pipe', stopDeadline: 0 },
  );
  client.write(sent);
  await client.line(expected, { deadline });
}

/** The same between two agents, by `openssl s_client` and `openssl s_server`: each verifies by what it holds itself. */
export async function pairHandshake(
  directory: string,
  caller: AgentSnapshot | undefined,
  callee: AgentSnapshot | undefined,
): Promise<void> {
  await using files = await peerFiles(directory, callee);
  await using server = await startProcess(
    'openssl',
    ['s_server', '-accept', '127.0.0.1:0', ...files.options, '-Verify', '4', '-naccept', '1', '-rev'],
    { name: 'openssl s_server', stopDeadline: 0 },
  );
  const [, port] = await server.line(/^ACCEPT 127\.0\.0\.1:(\d+)/, { deadline });
  await clientHandshake(directory, caller, Number(port), 'ping\n', /^gnip/);
}

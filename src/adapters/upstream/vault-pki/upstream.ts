import type {
  IssuingAuthorityChain,
  IssuingAuthorityRequest,
  UpstreamAuthority,
} from '../../../domain/ports/index.ts';
import { CitadelError, type Clock } from '../../../kernel/index.ts';
import { parseCertificate, parsePemCertificates, toPem } from '../../../pki/index.ts';
import {
  type Json,
  openVaultClient,
  policyText,
  requireMount,
  type VaultClient,
  type VaultConnectionOptions,
} from '../../vault/index.ts';
import { readIssuerRoot, readSignedChain } from './signed-chain.ts';

export interface VaultPkiOptions extends VaultConnectionOptions {
  /** Where the PKI secrets engine is mounted; `pki` by default. */
  readonly mount?: string;
  /** Name or id of the issuer that signs; by default the mount's default issuer. */
  readonly issuer?: string;
}

/**
 * An authority of Vault's or OpenBao's PKI engine that signs our issuing authorities. Its root must be in the mount, or in
 * the chain of its issuer. Signing is rare, so each has a session of its own and nothing stays open; a token given as such
 * is not renewed here.
 * @throws CitadelError InvalidArgument for options that cannot be right, FailedPrecondition for an unreadable CA file
 */
export async function openVaultPkiUpstream(options: VaultPkiOptions): Promise<UpstreamAuthority> {
  const { issuer, clock } = options;
  const mount = requireMount(options.mount ?? 'pki');
  if (issuer !== undefined && !/^[\w-]{1,128}$/.test(issuer)) {
    throw new CitadelError('InvalidArgument', "an issuer of Vault's PKI is given by its name or id");
  }
  const signPath =
    issuer === undefined ? `${mount}/root/sign-intermediate` : `${mount}/issuer/${issuer}/sign-intermediate`;
  const issuerPath = `${mount}/issuer/${issuer ?? 'default'}/json`;
  async function session<T>(use: (client: VaultClient) => Promise<T>): Promise<T> {
    const client = await openVaultClient(options);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }
  await session(async () => undefined);
  return {
    kind: 'vault-pki',
    signIssuingAuthority: (request) =>
      session(async (client) => {
        const chainEnd = issuerEnd(await readIssuer(client, issuerPath));
        const notAfter = new Date(Math.min(request.notAfter.getTime(), chainEnd));
        return await signAuthority(client, signPath, { ...request, notAfter }, clock);
      }),
    root: () => session(async (client) => readIssuerRoot(await readIssuer(client, issuerPath), clock.now())),
    check: (signal) => session((client) => requireCapability(client, signPath, signal)),
  };
}

/**
 * The issuer's certificate and those above it, DER. This path needs no token and hence no policy.
 * @throws CitadelError FailedPrecondition where there is no such issuer
 */
async function readIssuer(client: VaultClient, path: string): Promise<readonly Uint8Array[]> {
  const permission = { path, capabilities: ['read'] };
  const reply = await client.call({ method: 'GET', path, permission, repeatable: true });
  const data = reply?.get('data');
  const chain = [data?.get('certificate').text(), ...(data?.get('ca_chain').texts() ?? [])];
  const certificates = chain.flatMap((pem) => (pem === undefined ? [] : parsePemCertificates(pem)));
  if (certificates.length === 0) {
    throw new CitadelError('FailedPrecondition', "Vault's PKI has no such issuer", { details: path });
  }
  return certificates;
}

/** When the first certificate of the issuer's chain ends, in milliseconds: Vault itself may sign beyond. */
function issuerEnd(chain: readonly Uint8Array[]): number {
  return Math.min(...chain.map((der) => parseCertificate(der).notAfter.getTime()));
}

async function signAuthority(
  client: VaultClient,
  path: string,
  request: IssuingAuthorityRequest,
  clock: Clock,
): Promise<IssuingAuthorityChain> {
  const backdate = Math.max(0, Math.floor((clock.now().getTime() - request.notBefore.getTime()) / 1000));
  const reply = await client.call({
    method: 'POST',
    path,
    body: {
      csr: toPem(request.certificateRequest, 'CERTIFICATE REQUEST'),
      common_name: request.commonName,
      exclude_cn_from_sans: true,
      use_csr_values: false,
      max_path_length: 0,
      // Whole seconds, rounded into the validity that was asked for.
      not_after: new Date(Math.floor(request.notAfter.getTime() / 1000) * 1000)
        .toISOString()
        .replace('.000Z', 'Z'),
      not_before_duration: `${backdate}s`,
      format: 'pem',
    },
    permission: { path, capabilities: ['update'] },
    // Sent once: an answer that was lost is a certificate that was issued.
    repeatable: false,
  });
  if (!reply)
    throw new CitadelError('FailedPrecondition', "Vault's PKI has no such issuer", { details: path });
  return readSignedChain(readPems(reply.get('data')), request, clock.now());
}

function readPems(data: Json): { certificate: string; issuers: readonly string[] } {
  const issuing = data.get('issuing_ca').text();
  return {
    certificate: data.get('certificate').text() ?? '',
    issuers: [...(issuing === undefined ? [] : [issuing]), ...data.get('ca_chain').texts()],
  };
}

/** Whether our token may sign, without signing anything. */
async function requireCapability(client: VaultClient, path: string, signal?: AbortSignal): Promise<void> {
  const ask = 'sys/capabilities-self';
  const reply = await client.call({
    method: 'POST',
    path: ask,
    body: { paths: [path] },
    permission: { path: ask, capabilities: ['update'] },
    repeatable: true,
    ...(signal ? { signal } : {}),
  });
  const granted = reply?.get('data').get(path).texts() ?? [];
  if (granted.includes('update') || granted.includes('root')) return;
  throw new CitadelError(
    'PermissionDenied',
    'Vault would refuse to sign; the policy of our token must grant it',
    {
      details: `grant ${policyText({ path, capabilities: ['update'] })}`,
    },
  );
}

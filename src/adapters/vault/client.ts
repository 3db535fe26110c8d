import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CitadelError, describeError, isCitadelError } from '../../kernel/index.ts';
import { createVaultCaller, type VaultCall } from './caller.ts';
import type { Json } from './json.ts';
import { createLogin } from './login.ts';
import { requireSafeAddress, type VaultConnectionOptions } from './options.ts';
import { VaultSession } from './session.ts';

/** Calls to one Vault (or OpenBao) under a token that is kept good. */
export interface VaultClient {
  /**
   * @returns the answer; undefined when what was asked for does not exist
   * @throws CitadelError Unavailable: not reached, no answer in time, sealed; PermissionDenied: the details hold the
   *   policy that is missing; FailedPrecondition: refused as it is
   */
  call(call: VaultCall): Promise<Json | undefined>;
  close(): Promise<void>;
}

const defaultTimeout = 5000;

/** Reaches for Vault at the first call, not before. @throws CitadelError InvalidArgument, FailedPrecondition */
export async function openVaultClient(options: VaultConnectionOptions): Promise<VaultClient> {
  const { namespace, caFile, timeout = defaultTimeout } = options;
  const ca = caFile === undefined ? undefined : await readCa(caFile);
  const caller = createVaultCaller({
    address: requireSafeAddress(options.address),
    timeout,
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca }),
  });
  const session = new VaultSession(caller, createLogin(options.auth), options);
  let closed = false;
  return {
    async call(call) {
      if (closed) throw new CitadelError('FailedPrecondition', 'the connection to Vault has been closed');
      const token = await session.token();
      try {
        return await caller.call(call, token);
      } catch (error) {
        if (!isCitadelError(error, 'PermissionDenied')) throw error;
        const other = await session.afterRefusal(token);
        if (!other) throw error;
        return await caller.call(call, other);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await session.close();
      caller.close();
    },
  };
}

async function readCa(path: string): Promise<string> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    throw new CitadelError('FailedPrecondition', "the CA file for Vault's certificate cannot be read", {
      details: describeError(error),
    });
  }
  // TLS passes over what it cannot read, and trusts nobody in the end.
  if (!holdsCertificate(pem)) {
    throw new CitadelError(
      'FailedPrecondition',
      "the CA file for Vault's certificate holds no PEM certificates",
      { details: path },
    );
  }
  return pem;
}

function holdsCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

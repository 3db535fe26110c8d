import { open } from 'node:fs/promises';
import { CitadelError, describeError, isCitadelError, Secret } from '../../kernel/index.ts';
import type { VaultCaller } from './caller.ts';
import type { Json } from './json.ts';
import { requireMount, type VaultAuth } from './options.ts';

/** A token and how long it is good for. */
export interface Lease {
  readonly token: Secret<string>;
  /** Milliseconds from now; undefined: no end is known. */
  readonly ttl: number | undefined;
  readonly renewable: boolean;
}

/** One way to come by a token. */
export interface Login {
  readonly kind: VaultAuth['kind'];
  /** Whether asking again may give another token. */
  readonly repeatable: boolean;
  /** Whether the token is ours to revoke. */
  readonly owned: boolean;
  obtain(caller: VaultCaller): Promise<Lease>;
}

const largestTokenFile = 16 * 1024;

export function createLogin(auth: VaultAuth): Login {
  const { kind } = auth;
  if (kind === 'token') {
    return { kind, repeatable: false, owned: false, obtain: (caller) => lookUp(caller, auth.token) };
  }
  if (kind === 'token-file') {
    const obtain: Login['obtain'] = async (caller) => lookUp(caller, await readTokenFile(auth.path));
    return { kind, repeatable: true, owned: false, obtain };
  }
  const mount = requireMount(auth.mount ?? kind);
  const body =
    kind === 'approle'
      ? async () => ({ role_id: auth.roleId, secret_id: auth.secretId.reveal() })
      : async () => ({ role: auth.role, jwt: (await readTokenFile(auth.tokenFile)).reveal() });
  return { kind, repeatable: true, owned: true, obtain: (caller) => logIn(caller, mount, body) };
}

async function logIn(caller: VaultCaller, mount: string, body: () => Promise<object>): Promise<Lease> {
  const path = `auth/${mount}/login`;
  let reply: Json | undefined;
  try {
    reply = await caller.call({
      method: 'POST',
      path,
      body: await body(),
      permission: { path, capabilities: ['update'] },
      repeatable: true,
    });
  } catch (error) {
    // A login needs no policy: a refusal is about the credentials or the role.
    if (isCitadelError(error, 'PermissionDenied') || isCitadelError(error, 'FailedPrecondition')) {
      throw new CitadelError(
        'PermissionDenied',
        'Vault refuses our login; check the role and its credentials',
        {
          details: `on ${path}: ${(error.details ?? '').replace(/; grant path .*/, '')}`,
        },
      );
    }
    throw error;
  }
  const lease = readLease(reply?.get('auth'));
  if (!lease)
    throw new CitadelError('Unavailable', 'Vault answered a login without a token', {
      details: `on ${path}`,
    });
  return lease;
}

/** A lease from an `auth` object: `client_token`, `lease_duration` in seconds (0: no end), `renewable`. */
export function readLease(auth: Json | undefined): Lease | undefined {
  const token = auth?.get('client_token').text();
  if (token === undefined || token === '') return undefined;
  const seconds = auth?.get('lease_duration').number() ?? 0;
  return {
    token: new Secret(token),
    ttl: seconds > 0 ? seconds * 1000 : undefined,
    renewable: auth?.get('renewable').boolean() ?? false,
  };
}

/** What Vault knows of a token that was given to us. One that may not look itself up is used as it is. */
async function lookUp(caller: VaultCaller, token: Secret<string>): Promise<Lease> {
  const path = 'auth/token/lookup-self';
  try {
    const permission = { path, capabilities: ['read'] };
    const reply = await caller.call({ method: 'GET', path, permission, repeatable: true }, token);
    const data = reply?.get('data');
    const seconds = data?.get('ttl').number() ?? 0;
    return {
      token,
      ttl: seconds > 0 ? seconds * 1000 : undefined,
      renewable: data?.get('renewable').boolean() ?? false,
    };
  } catch (error) {
    if (!isCitadelError(error, 'PermissionDenied')) throw error;
    return { token, ttl: undefined, renewable: false };
  }
}

async function readTokenFile(path: string): Promise<Secret<string>> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > largestTokenFile) throw new Error(`larger than ${largestTokenFile} bytes`);
      const token = (await handle.readFile('utf8')).trim();
      if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('not one token');
      return new Secret(token);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new CitadelError('FailedPrecondition', 'the token file for Vault cannot be used', {
      details: `${path}: ${describeError(error)}`,
    });
  }
}

import { createHash } from 'node:crypto';
import { SpiffeId, TrustDomain } from '@citadel/spiffe';
import {
  CitadelError,
  type Clock,
  type Entropy,
  inTurn,
  type Log,
  Secret,
  toCitadelError,
} from '../../kernel/index.ts';
import {
  type CertificateSigner,
  createLeafIssuer,
  generateKeyPair,
  type KeyAlgorithm,
  toPem,
} from '../../pki/index.ts';
import { issuingAlgorithm } from '../authority/index.ts';
import type { AuditLog, KeyManager } from '../ports/index.ts';
import type { TrustBundleSnapshot } from '../trust/index.ts';
import type { RotationOrder } from './order.ts';
import { type Done, type RehearsedStep, Steps } from './rehearsed-steps.ts';
import { throwawayIssuing, throwawayRoot, throwawayValidity, type Validity } from './throwaway.ts';

/** What a rehearsal puts on record: before it makes a key, before it clears one away that was left, and at its end. */
export const rehearsalActions = [
  'rotation.rehearse',
  'rotation.rehearse.clear',
  'rotation.rehearse.end',
] as const;
type RehearsalAction = (typeof rehearsalActions)[number];

export interface RehearsalOptions {
  readonly trustDomain: string;
  /** Names the throwaway keys: replicas that share a key home clear away their own alone. */
  readonly serverId: string;
  /** The home in which a new root's key is made. */
  readonly newKeys: () => Promise<KeyManager>;
  readonly issuingKeys: KeyManager;
  /** Of the new root's key, where nothing else is asked for, and of issuing keys. */
  readonly algorithms: { readonly root: KeyAlgorithm; readonly issuing: KeyAlgorithm | undefined };
  readonly bundle: () => TrustBundleSnapshot;
  readonly handOut: HandOut;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Gives a certificate and a bundle to a client as an agent does, and takes back what arrived. */
export interface HandOut {
  /**
   * @param reply.certChain PEM: the leaf, what is between it and its root, all roots of the bundle in the last element
   * @returns PEM of the chain and of the bundle as the client has them
   */
  (reply: {
    readonly certChain: readonly string[];
    /** Of the leaf, PKCS#8 PEM. */
    readonly key: Secret<string>;
  }): Promise<{ readonly chain: string; readonly bundle: string; readonly acceptedVersion: string }>;
  /** Removes what an earlier one that was cut off has left. */
  clear(): Promise<void>;
}

export interface RehearsalReport {
  readonly steps: readonly RehearsedStep[];
  readonly ok: boolean;
}

export interface Rehearsal {
  /** Does each step, whatever becomes of those before it that it does not need. Never throws for a step. */
  rehearse(order: RotationOrder & { readonly algorithm?: KeyAlgorithm }): Promise<RehearsalReport>;
  /** Destroys throwaway keys that a rehearsal of this server has left, as one that was killed. @throws CitadelError */
  clear(): Promise<void>;
}

/** The key operations of a whole rotation with throwaway keys, in the same homes and by the same permissions. */
export function createRehearsal(options: RehearsalOptions): Rehearsal {
  const { trustDomain, audit, clock, entropy, log } = options;
  const owner = createHash('sha256').update(options.serverId).digest('hex').slice(0, 8);
  const prefix = `rehearsal-${owner}-`;
  const oneAtATime = inTurn();

  async function note(
    action: RehearsalAction,
    order: RotationOrder,
    target: string,
    details: Record<string, string>,
  ) {
    log.info(action, { target, ...details });
    const { by, proof, reason } = order;
    await audit.append({
      at: clock.now(),
      action,
      outcome: 'allowed',
      subject: by,
      proof,
      target,
      reason,
      details,
    });
  }

  async function clearHome(keys: KeyManager): Promise<void> {
    for (const { id } of await keys.list()) {
      if (!id.startsWith(prefix)) continue;
      const order = {
        by: 'server',
        proof: 'none',
        reason: 'a rehearsal was cut off, or could not destroy it',
      };
      await note('rotation.rehearse.clear', order, id, { keyBackend: keys.backend });
      await keys.destroy(id);
    }
  }

  async function run(order: RotationOrder & { readonly algorithm?: KeyAlgorithm }): Promise<RehearsalReport> {
    const name = Buffer.from(entropy.bytes(6)).toString('hex');
    const ids = { root: `${prefix}${name}-root`, issuing: `${prefix}${name}-issuing` };
    const algorithm = order.algorithm ?? options.algorithms.root;
    // First on record: whoever is cut off below leaves keys of these names, which the next start looks for.
    await note('rotation.rehearse', order, ids.root, { issuingKey: ids.issuing, algorithm });
    // One for all: a leaf must not outlive what is above it.
    const validity = throwawayValidity(clock.now());
    const steps = new Steps();
    const home = await steps.do('reach the key home', [], async () => {
      const keys = await options.newKeys();
      await keys.check();
      return { value: keys, detail: `the ${keys.backend} key home answers` };
    });
    await steps.do('list its keys', [home], async ([keys]) => {
      await clearHome(keys);
      return { value: keys, detail: 'keys that an earlier rehearsal left are gone' };
    });
    const rootKey = await steps.do('make a root key', [home], async ([keys]) => {
      const value = await keys.generate(ids.root, algorithm);
      return { value, detail: `${algorithm}, ${ids.root}` };
    });
    const root = await steps.do('sign a root certificate', [rootKey], async ([signer]) => {
      const value = await throwawayRoot(signer, validity, options);
      return { value, detail: 'verified' };
    });
    const issuingKey = await steps.do('make an issuing key', [], async () => {
      await clearHome(options.issuingKeys);
      const below = issuingAlgorithm(options.algorithms.issuing, algorithm);
      const value = await options.issuingKeys.generate(ids.issuing, below);
      return { value, detail: `${below}, ${ids.issuing}` };
    });
    const issuing = await steps.do(
      'sign an issuing certificate',
      [root, rootKey, issuingKey],
      async ([certificate, signer, key]) => {
        const value = await throwawayIssuing(
          { certificate, signer, keyId: ids.root },
          key,
          validity,
          options,
        );
        return { value, detail: 'verified' };
      },
    );
    await steps.do(
      'hand the bundle to an SDS client and read it back',
      [root, issuing, issuingKey],
      async ([certificate, issuer, signer]) => {
        const detail = await handOut(certificate, issuer, signer, validity);
        return { value: undefined, detail };
      },
    );
    // Also where making it is said to have failed: a home may have made a key that it then would not show.
    await steps.do('destroy the root key', [home], async ([keys]) => destroyed(keys, ids.root));
    await steps.do('destroy the issuing key', [], async () => destroyed(options.issuingKeys, ids.issuing));
    const report = { steps: steps.list, ok: steps.list.every(({ result }) => result === 'done') };
    const failed = steps.list.filter(({ result }) => result === 'failed').map((step) => step.name);
    await note('rotation.rehearse.end', order, ids.root, {
      ok: String(report.ok),
      failed: failed.join(', '),
    });
    return report;
  }

  /** The bundle as it would be in distribute: the present roots, and the new one. */
  async function handOut(
    root: Uint8Array,
    issuer: Uint8Array,
    signer: CertificateSigner,
    validity: Validity,
  ): Promise<string> {
    const pair = await generateKeyPair('ecdsa-p256');
    const leafIssuer = createLeafIssuer({ issuerCertificate: issuer, signer });
    const prepared = leafIssuer.prepare({
      spki: pair.spki,
      spiffeId: SpiffeId.of(TrustDomain.parse(trustDomain), 'citadel', 'rehearsal').toString(),
      serial: entropy.bytes(16),
      ...validity,
    });
    const leaf = await leafIssuer.sign(prepared);
    const roots = [...options.bundle().authorities, root];
    const key = new Secret(toPem(pair.privateKeyPkcs8.reveal(), 'PRIVATE KEY'));
    const certChain = [toPem(leaf), toPem(issuer), roots.map((der) => toPem(der)).join('')];
    const back = await options.handOut({ certChain, key });
    const missing = roots.filter((der) => !back.bundle.includes(toPem(der).trim()));
    if (missing.length > 0 || !back.chain.startsWith(toPem(leaf).trim()))
      throw new CitadelError('DataLoss', 'what an SDS client got is not what was handed out');
    return `${roots.length} roots, accepted as ${back.acceptedVersion.slice(0, 12)}`;
  }

  return {
    rehearse: (order) => oneAtATime(() => run(order)),
    clear: () =>
      oneAtATime(async () => {
        await options.handOut.clear();
        await clearHome(options.issuingKeys);
        await clearHome(await options.newKeys());
      }),
  };
}

async function destroyed(keys: KeyManager, id: string): Promise<Done<undefined>> {
  try {
    await keys.destroy(id);
    if ((await keys.get(id)) === undefined) return { value: undefined, detail: 'gone' };
    throw new CitadelError(
      'FailedPrecondition',
      `the ${keys.backend} key home does not destroy what it is told to`,
    );
  } catch (error) {
    const { code, message, details = '' } = toCitadelError(error);
    throw new CitadelError(
      code,
      `${id} may be left in the ${keys.backend} key home, and goes at the next rehearsal or start: ${message}`,
      { cause: error, details },
    );
  }
}

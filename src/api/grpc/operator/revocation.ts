import type { OperatorCaller } from '../../../domain/operators/index.ts';
import type {
  RevocationImpact,
  RevocationReport,
  RevocationTarget,
  RevokeAuthority,
  RevokeCertificates,
} from '../../../domain/revocation/index.ts';
import * as wire from '../../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { isRevocationReason } from '../../../pki/index.ts';
import { checkedReason, checkedSpiffeId } from './messages.ts';

export interface RevocationServices {
  readonly revoke: RevokeCertificates;
  readonly revokeAuthority: RevokeAuthority;
  readonly revocations: () => Promise<RevocationReport>;
}

const mostIdentities = 1000;
const mostNamed = 1000;
const serialForm = /^[0-9a-f]{1,40}$/;
const longestId = 128;

export async function revokeCertificates(
  { revoke, revocations }: RevocationServices,
  request: wire.RevokeCertificatesRequest,
  { subject, proof }: OperatorCaller,
): Promise<wire.RevocationImpact> {
  const code = request.code === '' ? 'unspecified' : request.code;
  if (!isRevocationReason(code))
    throw new CitadelError('InvalidArgument', 'the code is not one of RFC 5280 that is offered here');
  const impact = await revoke({
    target: readTarget(request),
    code,
    reason: reasonOf(request),
    by: subject,
    proof,
    dryRun: request.dryRun,
  });
  return impactToWire(impact, await revocations());
}

export async function revokeAuthority(
  services: RevocationServices,
  { id, reason, dryRun }: wire.RevokeAuthorityRequest,
  { subject, proof }: OperatorCaller,
): Promise<wire.RevocationImpact> {
  const order = { id: checkedId(id), reason: reasonOf({ reason, dryRun }), by: subject, proof, dryRun };
  return impactToWire(await services.revokeAuthority(order), await services.revocations());
}

export async function getRevocations({ revocations }: RevocationServices): Promise<wire.Revocations> {
  const { status, issuerIds, unenforced } = await revocations();
  const { enforcement } = status;
  return {
    enforcement: enforcement.kind,
    reasons: enforcement.kind === 'impossible' ? [...enforcement.reasons] : [],
    crlVersion: enforcement.kind === 'enforced' ? enforcement.set.version : '',
    crls: status.crls.map((crl) => ({
      issuerFingerprint: crl.issuer,
      issuerId: issuerIds.get(crl.issuer) ?? '',
      number: BigInt(crl.number),
      thisUpdate: crl.thisUpdate,
      nextUpdate: crl.nextUpdate,
      entries: crl.serials.size,
      bytes: crl.der.length,
    })),
    certificates: status.certificates.length,
    authorities: status.authorities.map(({ fingerprint }) => issuerIds.get(fingerprint) ?? fingerprint),
    unlisted: status.unlisted.slice(0, mostNamed),
    unenforced: unenforced.slice(0, mostNamed).map((each) => ({ ...each })),
  };
}

function readTarget({ target }: wire.RevokeCertificatesRequest): RevocationTarget {
  switch (target?.$case) {
    case 'serial':
      if (!serialForm.test(target.value))
        throw new CitadelError(
          'InvalidArgument',
          'the serial must be lower-case hexadecimal, without colons',
        );
      return { kind: 'serial', serial: target.value };
    case 'spiffeId':
      return { kind: 'identity', spiffeId: checkedSpiffeId(target.value) };
    case 'issuer':
      return { kind: 'issuer', issuer: checkedId(target.value) };
    case undefined:
      throw new CitadelError(
        'InvalidArgument',
        'name what is to be revoked: a serial, an identity or an issuer',
      );
  }
}

/** What is taken back by an order is gone: the record must say why. */
function reasonOf({ reason, dryRun }: { readonly reason: string; readonly dryRun: boolean }): string {
  if (reason.trim() !== '' || dryRun) return checkedReason(reason);
  throw new CitadelError('InvalidArgument', 'say why, for the record: --reason');
}

function checkedId(id: string): string {
  if (id !== '' && id.length <= longestId) return id;
  throw new CitadelError('InvalidArgument', 'name an authority by its id or fingerprint');
}

function impactToWire(impact: RevocationImpact, { sentences }: RevocationReport): wire.RevocationImpact {
  const { identities } = impact;
  return {
    certificates: impact.certificates,
    revokedBefore: impact.revokedBefore,
    identities: identities.slice(0, mostIdentities).map((each) => ({ ...each })),
    identityCount: identities.length,
    until: impact.until,
    unenforced: [...sentences],
  };
}

import { describe, expect, it } from 'vitest';
import { meets, methodRequirements } from '../../../../src/domain/operators/index.ts';
import { OperatorServiceService } from '../../../../src/gen/citadel/v1/operator.ts';

describe('meets', () => {
  it.each([
    ['viewer', 'viewer', true],
    ['viewer', 'author', false],
    ['viewer', 'operator', false],
    ['author', 'viewer', true],
    ['author', 'author', true],
    ['author', 'operator', false],
    ['operator', 'viewer', true],
    ['operator', 'author', true],
    ['operator', 'operator', true],
    [undefined, 'viewer', false],
    [undefined, 'operator', false],
    [undefined, 'authenticated', true],
  ] as const)('%s for %s: %s', (role, requirement, expected) => {
    expect(meets(role, requirement)).toBe(expected);
  });
});

describe('methodRequirements', () => {
  it('has a line for every method of the API but enrolment, which decides for itself', () => {
    const methods = Object.keys(OperatorServiceService).filter((name) => name !== 'enrolOperator');
    expect(Object.keys(methodRequirements).sort()).toEqual(methods.sort());
  });

  // Written a second time on purpose: a role that is eased in the source alone is seen here.
  it('asks of each method the role that its effect needs', () => {
    const viewer = [
      'getStatus',
      'listCertificates',
      'getCertificate',
      'listAuthorities',
      'getBundle',
      'listProxies',
      'listAuditEvents',
      'getAuditLog',
      'listAuditEntries',
      'proveAuditEntry',
      'listPolicies',
      'listPolicyRevisions',
      'getPolicyWorld',
      'getDenial',
      'listDenials',
      'getStoredPolicies',
      'getPolicyShadow',
      'getDecisionRecords',
      'getMutualTlsStatus',
      'listEnforcements',
      'getRotation',
      'planRotation',
      'getRevocations',
      'listOperators',
    ];
    const operator = [
      'taintAuthority',
      'revokeCertificates',
      'revokeAuthority',
      'enforceMutualTls',
      'revertMutualTls',
      'rehearseRotation',
      'startRotation',
      'continueRotation',
      'excuseProxy',
      'abortRotation',
      'createBackup',
      'grantRole',
      'revokeRole',
    ];
    const each = (methods: readonly string[], role: string) => methods.map((method) => [method, role]);
    expect(methodRequirements).toEqual(
      Object.fromEntries([
        ['whoAmI', 'authenticated'],
        ...each(viewer, 'viewer'),
        ['applyPolicies', 'author'],
        ['promotePolicyShadow', 'author'],
        ['revertPolicyShadow', 'author'],
        ...each(operator, 'operator'),
      ]),
    );
  });
});

import type { Role } from '../ports/index.ts';

/** Each role may do what the ones before it may. */
const order: readonly Role[] = ['viewer', 'author', 'operator'];

/** What a method asks of its caller: a role, or only to be somebody. */
export type Requirement = Role | 'authenticated';

/** One table for the whole operator API; what is not in it cannot be called. Enrolment decides for itself. */
export const methodRequirements = {
  whoAmI: 'authenticated',
  getStatus: 'viewer',
  listCertificates: 'viewer',
  getCertificate: 'viewer',
  listAuthorities: 'viewer',
  taintAuthority: 'operator',
  revokeCertificates: 'operator',
  revokeAuthority: 'operator',
  getRevocations: 'viewer',
  getBundle: 'viewer',
  listProxies: 'viewer',
  listAuditEvents: 'viewer',
  getAuditLog: 'viewer',
  listAuditEntries: 'viewer',
  proveAuditEntry: 'viewer',
  listPolicies: 'viewer',
  applyPolicies: 'author',
  listPolicyRevisions: 'viewer',
  getPolicyWorld: 'viewer',
  getDecisionRecords: 'viewer',
  getDenial: 'viewer',
  listDenials: 'viewer',
  getStoredPolicies: 'viewer',
  getPolicyShadow: 'viewer',
  promotePolicyShadow: 'author',
  revertPolicyShadow: 'author',
  getMutualTlsStatus: 'viewer',
  enforceMutualTls: 'operator',
  revertMutualTls: 'operator',
  listEnforcements: 'viewer',
  getRotation: 'viewer',
  planRotation: 'viewer',
  rehearseRotation: 'operator',
  startRotation: 'operator',
  continueRotation: 'operator',
  excuseProxy: 'operator',
  abortRotation: 'operator',
  createBackup: 'operator',
  listOperators: 'viewer',
  grantRole: 'operator',
  revokeRole: 'operator',
} as const satisfies Readonly<Record<string, Requirement>>;

export type OperatorMethod = keyof typeof methodRequirements;

/** Whether a caller with `role` (undefined: none) may call what asks for `requirement`. */
export function meets(role: Role | undefined, requirement: Requirement): boolean {
  if (requirement === 'authenticated') return true;
  return role !== undefined && order.indexOf(role) >= order.indexOf(requirement);
}

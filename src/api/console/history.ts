import { type DifferingObject, differingObjects, policyKey, withStored } from '../../domain/policy/index.ts';
import type { PolicyAnalysis, PolicyObjectKey, StoredPolicy } from '../../domain/ports/index.ts';
import type * as wire from '../../wire/console.ts';
import { needsControlPlane } from '../needs-control-plane.ts';
import { comparisonToWire } from './diff.ts';
import { type ConsolePolicyServices, worldOf } from './policies.ts';

const page = 20;
/** Texts in one answer: more nobody reads in a browser. */
const mostTexts = 200;

export async function listRevisions(
  services: ConsolePolicyServices,
  { policy, pageToken }: wire.ConsoleHistoryQuestion,
): Promise<wire.ConsoleHistory> {
  const policies = needsControlPlane(services.policies);
  const { revision } = await policies.kept();
  const { items, nextPageToken = '' } = await policies.history({
    limit: page,
    ...(policy ? { key: policy } : {}),
    ...(pageToken === '' ? {} : { pageToken }),
  });
  return {
    revisions: items.map(({ at, objects, ...head }) => ({
      ...head,
      at: at.toISOString(),
      policies: objects.map(({ text, ...key }) => ({ ...keyOf(key), removed: text === undefined })),
    })),
    nextPageToken,
    revision,
  };
}

/** @throws CitadelError NotFound where there was no such revision */
export async function keptAt(
  services: ConsolePolicyServices,
  { revision, policy }: wire.ConsoleKeptQuestion,
): Promise<wire.ConsoleKept> {
  const { policies } = await needsControlPlane(services.policies).kept(revision);
  const asked = policies.filter(isMeant(policy));
  return {
    policies: asked.slice(0, mostTexts).map((each) => ({ ...keyOf(each), text: each.text ?? '' })),
    more: Math.max(0, asked.length - mostTexts),
  };
}

/** Line by line. @throws CitadelError NotFound where there was no such revision */
export async function changesBetween(
  services: ConsolePolicyServices,
  { from, to, policy }: wire.ConsoleCompareQuestion,
): Promise<wire.ConsoleChanges> {
  const [before, after] = await keptAtBoth(services, from, to);
  const all = differingObjects(before, after).filter(({ key }) => isMeant(policy)(key));
  return { effects: all.slice(0, mostTexts).map(effectOf), more: Math.max(0, all.length - mostTexts) };
}

/** What that decides otherwise, beside all else that holds now. @throws CitadelError as PolicyAnalysis does */
export async function diffBetween(
  services: ConsolePolicyServices,
  analysis: PolicyAnalysis,
  { from, to, policy }: wire.ConsoleCompareQuestion,
  signal: AbortSignal,
): Promise<wire.ConsoleDiff> {
  const world = worldOf(services);
  const [before, after] = await keptAtBoth(services, from, to);
  const at = (kept: typeof before) => withStored(world, kept, policy);
  return comparisonToWire(await analysis.compare(at(before), at(after), signal));
}

async function keptAtBoth(
  services: ConsolePolicyServices,
  from: number,
  to: number,
): Promise<readonly [readonly StoredPolicy[], readonly StoredPolicy[]]> {
  const policies = needsControlPlane(services.policies);
  const [before, after] = await Promise.all([policies.kept(from), policies.kept(to)]);
  return [before.policies, after.policies];
}

function effectOf({ key, before = '', after = '' }: DifferingObject): wire.ConsoleEffect {
  const effect = before === '' ? 'create' : after === '' ? 'remove' : 'update';
  return { ...key, effect, shadowedBy: '', before, after };
}

function isMeant(policy: wire.ConsolePolicyKey | undefined): (key: PolicyObjectKey) => boolean {
  return (key) => policy === undefined || policyKey(key) === policyKey(policy);
}

const keyOf = ({ kind, namespace, name }: PolicyObjectKey): wire.ConsolePolicyKey => ({
  kind,
  namespace,
  name,
});

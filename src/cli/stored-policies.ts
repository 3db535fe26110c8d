import {
  type ChangedObject,
  changedObjects,
  type DiffLine,
  diffLines,
  policyKey,
} from '../domain/policy/index.ts';
import type { PolicyRevision, StoredPolicy } from '../domain/ports/index.ts';
import * as wire from '../gen/citadel/v1/operator.ts';
import { CitadelError } from '../kernel/index.ts';
import type { OperatorConnection } from './connection.ts';
import { formatTime, printable } from './output.ts';

const api = wire.OperatorServiceService;

export interface StoredPolicies {
  readonly revision: number;
  readonly policies: readonly StoredPolicy[];
}

/** What the server keeps, or kept at a revision. @throws CitadelError NotFound where there was no such revision */
export async function storedPolicies(
  connection: OperatorConnection,
  revision?: number,
): Promise<StoredPolicies> {
  const policies: StoredPolicy[] = [];
  let of: number | undefined;
  const request = { revision: revision === undefined ? undefined : BigInt(revision) };
  for await (const { revision: whole, policy, since } of connection.download(
    api.getStoredPolicies,
    request,
  )) {
    of = Number(whole);
    if (policy?.key)
      policies.push({ ...policy.key, text: policy.text, hash: policy.hash, revision: Number(since) });
  }
  if (of === undefined) throw new CitadelError('Internal', 'the server sent no policies, and no revision');
  return { revision: of, policies };
}

/** Of policies that somebody has before them as text, the first line: `citadel policy apply` reads it. */
export function revisionMark(revision: number): string {
  return `# citadel policy: revision ${revision}\n`;
}

/** The revision that the first line of a text names. */
export function markedRevision(text: string): number | undefined {
  const mark = /^# citadel policy: revision (\d{1,15})\r?$/m.exec(text.slice(0, text.indexOf('\n') + 1));
  return mark ? Number(mark[1]) : undefined;
}

/** For commander. */
export function revisionArgument(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CitadelError('OutOfRange', `${text} is no revision: citadel policy history names them`);
}

export interface ChangesSince {
  readonly from: number;
  readonly to: number;
  readonly objects: readonly ChangedObject[];
}

/** What others made of the policies since a revision, by whom and why. */
export async function changesSince(connection: OperatorConnection, from: number): Promise<ChangesSince> {
  const before = await storedPolicies(connection, from);
  const after = await storedPolicies(connection);
  const changes = await revisionsAfter(connection, from);
  return { from, to: after.revision, objects: changedObjects(before.policies, after.policies, changes) };
}

async function revisionsAfter(connection: OperatorConnection, from: number) {
  const found: (PolicyRevision & { readonly objects: readonly wire.PolicyKey[] })[] = [];
  let pageToken = '';
  do {
    const page = await connection.call(api.listPolicyRevisions, { key: undefined, pageSize: 100, pageToken });
    const newer = page.revisions.filter(({ revision }) => Number(revision) > from);
    for (const { revision, at, by, reason, versions } of newer)
      found.push({
        revision: Number(revision),
        at: at ?? new Date(0),
        by,
        reason,
        objects: versions.flatMap(({ key }) => key ?? []),
      });
    pageToken = newer.length < page.revisions.length ? '' : page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

/** For people: each object, who changed it, and its lines. */
export function changesText({ objects, from, to }: ChangesSince): string {
  const [first] = objects;
  if (!first) return `Between revision ${from} and ${to} nothing came to differ.\n`;
  return objects.map((each) => objectText(each)).join('\n');
}

function objectText({ key, by, before, after }: ChangedObject): string {
  const heads = by.map(
    ({ revision, at, by: who, reason }) =>
      `  revision ${revision}, ${formatTime(at)}, ${who}${reason === '' ? '' : `: ${reason}`}`,
  );
  return [policyKey(key), ...heads, ...textDiff(before ?? '', after ?? '')]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

const marks: Readonly<Record<DiffLine['kind'], string>> = { same: ' ', removed: '-', added: '+' };
/** Lines around a change that are shown with it. */
const around = 3;

/** The lines that differ, with some around them. */
function textDiff(before: string, after: string): readonly string[] {
  const lines = diffLines(before, after);
  const shown = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some(({ kind }) => kind !== 'same'),
  );
  return lines.flatMap(({ kind, text }, at) => {
    if (shown[at] === true) return [`  ${marks[kind]} ${text}`];
    return at === 0 || shown[at - 1] === true ? ['    ...'] : [];
  });
}

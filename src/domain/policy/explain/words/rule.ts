import type { FieldFinding, PolicyReference, RuleFinding } from '../model.ts';

/** What became of each field of a rule, a line each. */
export function fieldLines({ fields, policy }: RuleFinding): readonly string[] {
  if (fields.length === 0) return ['     it asks for nothing, and so matches everything'];
  const width = Math.max(...fields.map(({ name }) => name.length));
  return fields.map(
    (field) =>
      `     ${marks[field.outcome]} ${field.name.padEnd(width)}  ${fieldText(field)}  ${placeText(field, policy)}`,
  );
}

const marks = { matches: '=', misses: 'x', depends: '?' } as const;

function fieldText(field: FieldFinding): string {
  const { outcome, wanted, unwanted, entry, came, needsHttp, unknown } = field;
  if (needsHttp)
    return outcome === 'misses'
      ? `asks for HTTP, which this port is not: the rule never matches here`
      : `asks for HTTP, which this port is not: read as if it were not there`;
  const asked = askedText(field);
  if (outcome === 'depends') return `wants ${asked}, came: not known (${unknown.join(', ')})`;
  const what = came === undefined || came.length === 0 ? 'nothing' : came.map(quoted).join(', ');
  if (outcome === 'misses') {
    const excluded = entry !== undefined && unwanted.includes(entry);
    return excluded ? `must not be ${quoted(entry)}, came ${what}` : `wants ${asked}, came ${what}`;
  }
  return entry === undefined || wanted.length === 0
    ? `is ${asked}: came ${what}`
    : `${quoted(entry)} matches ${what}`;
}

/** How many of a list are told. */
export const mostEntries = 5;

function askedText({ wanted, unwanted }: FieldFinding): string {
  const list = (entries: readonly string[]) => {
    const shown = entries.slice(0, mostEntries).map(quoted).join(' or ');
    return entries.length > mostEntries ? `${shown} or ${entries.length - mostEntries} others` : shown;
  };
  return [
    ...(wanted.length > 0 ? [list(wanted)] : []),
    ...(unwanted.length > 0 ? [`not ${list(unwanted)}`] : []),
  ].join(', and ');
}

export function quoted(text: string): string {
  return /^[\w./:@{}*+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** Where an editor finds it, as far as that is known, and what it is. */
function placeText({ path, place }: FieldFinding, { source }: PolicyReference): string {
  return place ? `(${source}:${place.line}:${place.column} ${path})` : `(${path})`;
}

export function policyName({ kind, namespace, name, source, line }: PolicyReference): string {
  return `${kind} ${namespace}/${name} (${line === undefined ? source : `${source}:${line}`})`;
}

export function ruleName({ policy, path }: RuleFinding): string {
  return `${policyName(policy)}, ${path}`;
}

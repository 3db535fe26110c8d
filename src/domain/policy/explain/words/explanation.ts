import type { RequestAttribute } from '../attributes.ts';
import type { CallExplanation, TokenFinding, TransportFinding } from '../call/index.ts';
import type { StepFinding } from '../model.ts';
import { fieldLines, mostEntries, policyName, quoted, ruleName } from './rule.ts';

/** What of the request was said. */
export interface SaidOfRequest {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
}

/** An explanation for a reader: the verdict first, then why, then each step with its result. */
export interface ExplanationWords {
  readonly headline: string;
  /** Lines; those of a rule's fields are indented. */
  readonly why: readonly string[];
  /** In the order in which they decide; the name is empty where a line goes on. */
  readonly steps: readonly (readonly [name: string, result: string])[];
  readonly notes: readonly string[];
}

export function explanationWords(explanation: CallExplanation, said: SaidOfRequest): ExplanationWords {
  return {
    headline: headline(explanation, said),
    why: why(explanation),
    steps: steps(explanation),
    notes: notes(explanation),
  };
}

const verdicts = { allow: 'ALLOWED', deny: 'DENIED', depends: 'OPEN' } as const;

function headline(
  { verdict, caller, callee, transport }: CallExplanation,
  { method, path }: SaidOfRequest,
): string {
  const who =
    transport.kind === 'mtls' ? (caller.identity ?? '') : `${caller.identity ?? 'somebody'} in plaintext`;
  const asked =
    method === undefined && path === undefined
      ? ''
      : `: ${[method, path].filter((each) => each !== undefined).join(' ')}`;
  return `${verdicts[verdict]}  ${who} calls ${callee.workload}:${callee.port}${asked}`;
}

function why(explanation: CallExplanation): readonly string[] {
  const { verdict, decidedBy, transport, token, policies } = explanation;
  if (decidedBy === 'nobody')
    return ['No proxy stands beside the callee: no policy is asked, whatever they say.'];
  if (decidedBy === 'transport') return [refusedTransport(transport)];
  if (decidedBy === 'token' && token) return [`Its token is refused: ${tokenText(token)}.`];
  if (verdict === 'depends') return hangsOn(explanation);
  if (policies.step === 'default')
    return ['No ALLOW policy holds for the callee, so that all is allowed that nothing denies.'];
  if (policies.step === 'PATH') return [pathRefusal(policies.steps)];
  if (policies.by) return [`${policies.by.action} by ${ruleName(policies.by)}:`, ...fieldLines(policies.by)];
  return noAllow(explanation);
}

function noAllow({ policies }: CallExplanation): readonly string[] {
  const { near, withoutRules } = policies;
  const none =
    withoutRules.length > 0
      ? [`${withoutRules.map(policyName).join(', ')} has no rules, and so matches nothing.`]
      : [];
  const nearest = near.flatMap((rule, index) => {
    const missed = rule.fields.filter(({ outcome }) => outcome === 'misses').length;
    return [
      `${index + 1}. ${ruleName(rule)} missed by ${missed === 1 ? 'one field' : `${missed} fields`}:`,
      ...fieldLines(rule),
    ];
  });
  return [
    `There are ALLOW policies, and none of them lets it in.${near.length > 0 ? ' The nearest rules:' : ''}`,
    ...none,
    ...nearest,
  ];
}

function hangsOn({ dependsOn, policies }: CallExplanation): readonly string[] {
  const options = [
    ...dependsOn.attributes.map((attribute) => `${attribute}: ${optionFor(attribute)}`),
    ...dependsOn.providers.map((name) => `what the authorizer ${name} says: --custom ${name}=allow or =deny`),
  ];
  const rules = policies.steps
    .filter(({ outcome }) => outcome === 'depends')
    .flatMap((step) => step.rules.filter(({ outcome }) => outcome === 'depends'));
  return [
    'It hangs on what was not said:',
    ...options.map((option) => `  ${option}`),
    ...rules.flatMap((rule) => [`${rule.action} ${ruleName(rule)} may match:`, ...fieldLines(rule)]),
  ];
}

/** How an author says what is missing. */
function optionFor(attribute: RequestAttribute): string {
  const header = /^request\.headers\[(.*)\]$/.exec(attribute)?.[1];
  if (header !== undefined) return `--header ${header}=VALUE, or --without-header ${header}`;
  return options.get(attribute) ?? 'nobody but the proxy knows';
}

const options: ReadonlyMap<string, string> = new Map<RequestAttribute, string>([
  ['request.method', '--method'],
  ['request.path', '--path'],
  ['request.query', '--path, with its query'],
  ['request.host', '--host'],
  ['request.token', '--jwt CLAIMS, or --jwt none'],
  ['source.ip', '--ip'],
  ['remote.ip', '--remote-ip'],
  ['destination.ip', '--destination-ip'],
  ['connection.sni', '--sni'],
]);

function refusedTransport(transport: TransportFinding): string {
  return transport.kind === 'plaintext'
    ? `The callee takes mutual TLS alone there, and the call is plaintext: ${reasons[transport.reason]}.`
    : 'Mutual TLS is off at the callee: it passes TLS on to the application as bytes, and shows no caller.';
}

const reasons: Readonly<Record<TransportFinding['reason'], string>> = {
  'callee-without-proxy': 'no proxy stands beside the callee',
  'caller-is-plaintext': 'the caller shows no certificate',
  'caller-without-proxy':
    'no workload of this caller has a proxy (say --transport mtls if it speaks mutual TLS itself)',
  disabled: 'mutual TLS is off at the callee, so that proxies call it in plaintext and show no identity',
  'callee-behind-no-service':
    'the callee’s port is behind no service, so that no caller’s proxy knows who is there',
  'both-have-a-proxy': 'both have a proxy',
  'caller-unknown': 'the caller is in no registry, and shows its certificate',
  'as-said': 'as was said',
};

function modeText({ mode, modeBy, policy, path }: TransportFinding): string {
  if (modeBy === 'operator') return `${mode}, by an order of citadel mtls enforce`;
  return policy
    ? `${mode}, by ${policyName(policy)}, ${path}`
    : `${mode}, for no PeerAuthentication says otherwise`;
}

function steps({ transport, token, policies }: CallExplanation): readonly (readonly [string, string])[] {
  const kind = transport.kind === 'mtls' ? 'mutual TLS' : 'plaintext';
  const way = [
    ['transport', `${kind}: ${reasons[transport.reason]}`],
    ['', `the port is ${modeText(transport)}${transport.outcome === 'refused' ? ': refused' : ''}`],
  ] as const;
  if (transport.outcome !== 'passes') return way;
  const [before, after] = [policies.steps.filter(isEarly), policies.steps.filter((step) => !isEarly(step))];
  const ofToken = token ? [['token', tokenText(token)] as const] : [];
  return [...way, ...before.map(stepLine(policies.path)), ...ofToken, ...after.map(stepLine(undefined))];
}

function isEarly({ step }: StepFinding): boolean {
  return step === 'PATH' || step === 'CUSTOM';
}

function stepLine(path: string | undefined): (step: StepFinding) => readonly [string, string] {
  return (step) => [
    step.step === 'PATH' ? 'path' : step.step,
    `${stepText(step, path)}${step.reached ? '' : '  (not reached)'}`,
  ];
}

function stepText(step: StepFinding, path: string | undefined): string {
  const { outcome, policies, rules, by, providers = [] } = step;
  if (step.step === 'PATH')
    return outcome === 'denies' ? 'refused' : path === undefined ? 'not known' : `compared as ${path}`;
  if (policies === 0)
    return step.step === 'ALLOW' ? 'no policy: all is allowed that came so far' : 'no policy';
  const many = policies === 1 ? '1 policy' : `${policies} policies`;
  const said = providers.map(({ name, answer }) => `${name}: ${answer ?? 'not said'}`).join(', ');
  const asked = said === '' ? '' : `; asked is ${said}`;
  if (by)
    return `${many}: ${outcome === 'allows' ? 'allowed' : 'denied'} by ${by.policy.namespace}/${by.policy.name}, ${by.path}${asked}`;
  const matching = rules.map(
    ({ policy, path: at, outcome: how }) =>
      `${policy.namespace}/${policy.name}, ${at}${how === 'depends' ? ' perhaps' : ''}`,
  );
  if (matching.length === 0) return `${many}, no rule matches${outcome === 'denies' ? ': denied' : ''}`;
  return `${many}: ${step.step === 'AUDIT' ? 'marked by' : 'matched by'} ${matching.slice(0, mostEntries).join('; ')}${asked}`;
}

function tokenText(token: TokenFinding): string {
  const by = token.by && `${policyName(token.by)}, ${token.path}`;
  const came = token.came.map(quoted).join(', ') || 'none';
  switch (token.outcome) {
    case 'none':
      return 'none';
    case 'unread':
      return 'not looked at, for no RequestAuthentication holds here: policies see no token';
    case 'taken':
      return `taken by ${by}; its signature was not looked at here`;
    case 'depends':
      return 'not known';
    case 'refused':
      return refusals[token.refusal ?? 'issuer']({
        by,
        came,
        wanted: token.wanted.map(quoted).join(', ') || 'none',
      });
  }
}

type Refused = { readonly by: string | undefined; readonly came: string; readonly wanted: string };
const refusals: Readonly<Record<NonNullable<TokenFinding['refusal']>, (told: Refused) => string>> = {
  issuer: ({ came, wanted }) => `no rule takes tokens of ${came}; there are rules for ${wanted} (401)`,
  audience: ({ by, came, wanted }) => `it is for ${came}, and ${by} takes those for ${wanted} (403)`,
  expired: ({ came }) => `it ended at ${came} (401)`,
  'not-yet': ({ came }) => `it begins at ${came} (401)`,
};

function pathRefusal(all: readonly StepFinding[]): string {
  const refusal = all.find(({ step }) => step === 'PATH')?.refusal;
  return refusal === 'no-canonical-form'
    ? 'Its path has no canonical form, and is answered 400 before any policy.'
    : `Its ${refusal} is one that applications read in different ways, and policies compare it: it is refused before any of them.`;
}

function notes({ callee, transport, policies, verdict }: CallExplanation): readonly string[] {
  const { takenAsPlain, dryRun } = policies;
  return [
    ...(callee.alike.length > 0 ? [`the same holds for ${some(callee.alike)}`] : []),
    ...(transport.withoutProxy.length > 0
      ? [`${some(transport.withoutProxy)} has no proxy, and calls in plaintext`]
      : []),
    ...(takenAsPlain.length > 0 && verdict === 'allow' && transport.outcome === 'passes'
      ? [
          `the ${unknownParts(policies).join(', ')} of the request is not known, and taken to be plain: some are refused whatever policies say`,
        ]
      : []),
    ...dryRun.map(
      (rule) =>
        `a dry run ${rule.outcome === 'depends' ? 'may match' : 'matches'} and decides nothing: ${rule.action} ${ruleName(rule)}`,
    ),
  ];
}

/** Of a path that is known it is the query that is not. */
function unknownParts({ takenAsPlain, path }: CallExplanation['policies']): readonly string[] {
  return takenAsPlain.map((part) => (part === 'path' && path !== undefined ? 'query' : part));
}

function some(names: readonly string[]): string {
  return names.length > mostEntries
    ? `${names.slice(0, mostEntries).join(', ')} and ${names.length - mostEntries} others`
    : names.join(', ');
}

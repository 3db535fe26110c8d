import type { Attribute, Bases } from './bases.ts';
import { blockFor, type Pattern, patternFor, templateFor } from './patterns.ts';
import type { Random } from './random.ts';
import * as words from './words.ts';

interface Making {
  readonly random: Random;
  readonly bases: Bases;
  readonly ports: readonly string[];
}

export type FieldMaker = (making: Making) => Pattern;

function strings(attribute: Attribute, from: readonly string[]): FieldMaker {
  return ({ random, bases }) => patternFor(random, bases.draw(random, attribute, from));
}

function blocks(attribute: Attribute, from: readonly string[]): FieldMaker {
  return ({ random, bases }) => blockFor(random, bases.draw(random, attribute, from));
}

/** Written without the scheme; sometimes under another name of the mesh, or with the scheme's end for its own. */
const principal: FieldMaker = ({ random, bases }) => {
  const base = bases.draw(random, 'identity', words.identities).replace('spiffe://', '');
  const named = [words.trustDomain, ...words.trustDomainAliases, 'cluster.local'];
  const other = base.replace(/^[^/]+/, random.pick(named));
  const pattern = patternFor(random, random.chance(0.3) ? other : base);
  if (!random.chance(0.05)) return pattern;
  return { text: `*${random.pick(['/', '//', '://'])}${base}`, shape: 'suffix' };
};

const serviceAccount: FieldMaker = ({ random, bases }) => ({
  text: bases.draw(random, 'serviceAccount', words.serviceAccounts),
  shape: 'exact',
});

const requestPrincipal: FieldMaker = ({ random, bases }) => {
  const issuer = bases.draw(random, 'issuer', words.issuers);
  return patternFor(random, `${issuer}/${bases.draw(random, 'subject', words.subjects)}`);
};

const path: FieldMaker = ({ random, bases }) => {
  const base = bases.draw(random, 'path', words.paths);
  return random.chance(0.25) ? templateFor(random, base) : patternFor(random, base);
};

const port: FieldMaker = ({ random, bases, ports }) => ({
  text: bases.draw(random, 'port', [...ports, ...ports, '80', '65535']),
  shape: 'port',
});

export const sourceFields: Readonly<Record<string, FieldMaker>> = {
  principals: principal,
  requestPrincipals: requestPrincipal,
  namespaces: strings('namespace', words.namespaces),
  serviceAccounts: serviceAccount,
  trustDomains: strings('trustDomain', words.trustDomains),
  ipBlocks: blocks('sourceIp', words.sourceAddresses),
  remoteIpBlocks: blocks('remoteIp', [...words.clientAddresses, ...words.sourceAddresses]),
};

export const operationFields: Readonly<Record<string, FieldMaker>> = {
  hosts: strings('host', words.hosts),
  ports: port,
  methods: strings('method', words.methods),
  paths: path,
};

type ConditionField = { readonly key: string; readonly kind: string; readonly maker: FieldMaker };

const plain: Readonly<Record<string, FieldMaker>> = {
  'source.ip': blocks('sourceIp', words.sourceAddresses),
  'remote.ip': blocks('remoteIp', words.clientAddresses),
  'source.namespace': strings('namespace', words.namespaces),
  'source.principal': principal,
  'source.serviceAccount': serviceAccount,
  'source.trustDomain': strings('trustDomain', words.trustDomains),
  'request.auth.principal': requestPrincipal,
  'request.auth.audiences': strings('claim', ['shop', 'bank', 'shop/x']),
  'request.auth.presenter': strings('claim', ['app', 'App', 'cli']),
  'destination.ip': blocks('destinationIp', words.destinationAddresses),
  'destination.port': port,
  'connection.sni': strings('sni', words.serverNames),
};

const header = (random: Random): ConditionField => {
  const host = random.chance(0.1);
  const name = host
    ? 'Host'
    : random.pick([random.pick(words.headerNames), random.pick(words.headerNames).toUpperCase()]);
  const maker = host ? strings('host', words.hosts) : strings('header', words.headerValues);
  return { key: `request.headers[${name}]`, kind: 'request.headers', maker };
};

const claim = (random: Random): ConditionField => {
  const names = random.pick(words.claimPaths);
  const kind = names.length > 1 ? 'request.auth.claims nested' : 'request.auth.claims';
  const maker = strings('claim', [...words.claimWords, ...words.subjects]);
  return { key: `request.auth.claims${names.map((name) => `[${name}]`).join('')}`, kind, maker };
};

/** In brackets it asks for a list. */
const metadataValue: FieldMaker = ({ random, bases }) => {
  const { text, shape } = patternFor(random, bases.draw(random, 'metadata', words.metadataWords));
  return random.chance(0.5) ? { text, shape } : { text: `[${text}]`, shape: 'list' };
};

const metadata = (random: Random): ConditionField => ({
  key: `experimental.${words.metadataFilter}[${random.pick(words.metadataNames)}]`,
  kind: 'experimental.envoy.filters',
  maker: metadataValue,
});

export const conditionFields: readonly ((random: Random) => ConditionField)[] = [
  ...Object.entries(plain).map(([key, maker]) => () => ({ key, kind: key, maker })),
  header,
  header,
  header,
  claim,
  claim,
  claim,
  metadata,
  metadata,
];

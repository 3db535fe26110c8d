import { expect, test } from 'vitest';
import type { PolicyRequest } from '../../../../../src/domain/policy/index.ts';
import { compareWorlds } from '../../../../../src/domain/policy/index.ts';
import { mesh, service, workload } from '../mesh.ts';
import { allow, from, type Rule, to, unless, when } from './worlds.ts';

const cart = workload('shop/cart', { addresses: ['10.1.0.1'] });
const ledger = workload('bank/ledger', { addresses: ['10.1.0.2'] });
/** So many that not all of them can be tried. */
const many = Array.from({ length: 200 }, (_, at) => workload(`team-${at}/worker`));
const last = workload('zoo/keeper');
const nobody = allow(from({ serviceAccounts: ['nobody'] }));

/** The request that shows what a rule lets in; it is asked of `cart`, where nobody was let in before. */
function witnessOf(rule: Rule): PolicyRequest | undefined {
  const world = mesh([cart, ledger, ...many, last], [nobody], [service('shop/cart', cart)]);
  const { differences } = compareWorlds(world, { ...world, policies: [nobody, named(rule)] });
  return differences.find(({ places }) => places.some((each) => each.workload === cart.id))?.witness.request;
}

function named(rule: Rule) {
  const made = allow(rule);
  return { ...made, meta: { ...made.meta, name: 'more' } };
}

const methods = (...values: string[]) => to({ methods: values });
const paths = (...values: string[]) => to({ paths: values });
const account = (namespace: string, name: string) => `spiffe://example.org/ns/${namespace}/sa/${name}`;

test.each<[name: string, rule: Rule, method: string]>([
  ['any', methods('*'), 'GET'],
  ['others than one', to({ notMethods: ['GET'] }), 'POST'],
  ['a prefix', methods('PA*'), 'PATCH'],
  ['a suffix', methods('*ETE'), 'DELETE'],
  ['two of them, the better known one', methods('PURGE', 'PUT'), 'PUT'],
  ['one that is less known', methods('PURGE'), 'PURGE'],
  ['one that nobody knows', methods('XX*'), 'XX'],
])('a method that is known, of %s', (_, rule, method) => {
  expect(witnessOf(rule)?.http?.method).toBe(method);
});

test.each<[name: string, rule: Rule, path: string]>([
  ['any', paths('*'), '/'],
  ['others than some', to({ notPaths: ['/admin*'] }), '/'],
  ['what is below one', paths('/orders/*'), '/orders/example'],
  ['a template', paths('/orders/{*}/items'), '/orders/example/items'],
  ['one', paths('/status'), '/status'],
  ['one or the root', paths('/status', '/'), '/'],
])('a simple path, of %s', (_, rule, path) => {
  expect(witnessOf(rule)?.http?.path).toBe(path);
});

test.each<[name: string, rule: Rule, source: string | undefined]>([
  ['a namespace', from({ namespaces: ['bank'] }), account('bank', 'ledger')],
  ['a pattern of namespaces', from({ namespaces: ['b*'] }), account('bank', 'ledger')],
  ['other namespaces', from({ notNamespaces: ['shop'] }), account('bank', 'ledger')],
  ['a pattern of principals', from({ principals: ['*/sa/ledger'] }), account('bank', 'ledger')],
  ['all of the mesh', from({ trustDomains: ['example.org'] }), account('shop', 'cart')],
  ['one of many', from({ namespaces: ['zoo'] }), account('zoo', 'keeper')],
  ['a namespace of nobody', from({ namespaces: ['ghosts'] }), account('ghosts', 'default')],
])('a service account that there is, of %s', (_, rule, source) => {
  expect(witnessOf(rule)?.sourcePrincipal).toBe(source);
});

test.each<[name: string, value: string, rule: Rule]>([
  ['content-type', 'application/json', when('request.headers[content-type]', 'application/*')],
  ['content-type', 'text/plain', when('request.headers[content-type]', '*/plain')],
  ['user-agent', 'curl/8.5.0', when('request.headers[user-agent]', '*')],
  ['x-tier', 'gold', when('request.headers[x-tier]', 'gold*')],
])('a value that the header %s mostly has: %s', (name, value, rule) => {
  expect(witnessOf(rule)?.http?.headers?.[name]).toEqual([value]);
});

test('a host of a service, and an address of who is called', () => {
  expect(witnessOf(to({ hosts: ['cart.*'] }))?.http?.host).toBe('cart.shop.svc.cluster.local');
  expect(witnessOf(to({ hosts: ['www.*'] }))?.http?.host).toBe('www.example');
  expect(witnessOf(unless('destination.ip', '192.0.2.0/24'))?.destinationIp).toBe('10.1.0.1');
});

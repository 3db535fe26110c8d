/** What both policies and requests are made of: few words, so that they meet. */
export const trustDomain = 'mesh.test';
export const trustDomainAliases = ['old.mesh.test', 'older.test'];

const longest = `n${'0123456789'.repeat(6)}zz`;

/** Peers, some of a shape that no workload has, some whose names look like their own path. */
export const identities: readonly string[] = [
  'spiffe://mesh.test/ns/shop/sa/front',
  'spiffe://mesh.test/ns/shop/sa/back',
  'spiffe://mesh.test/ns/shopping/sa/front',
  'spiffe://mesh.test/ns/bank/sa/front-2',
  `spiffe://mesh.test/ns/${longest}/sa/front`,
  'spiffe://old.mesh.test/ns/shop/sa/front',
  'spiffe://older.test/ns/bank/sa/back',
  'spiffe://other.test/ns/shop/sa/front',
  'spiffe://mesh.test.evil/ns/shop/sa/front',
  'spiffe://cluster.local/ns/shop/sa/front',
  'spiffe://mesh.test/x/ns/shop/sa/front',
  'spiffe://mesh.test/ns/shop/sa/front/more',
  'spiffe://ns/ns/sa/sa/front',
  'spiffe://mesh.test/ns/ns/sa/sa',
];

export const namespaces = [
  'shop',
  'shopping',
  'bank',
  'ns',
  'sa',
  longest,
  `${longest}longer-than-any-other`,
];
export const serviceAccounts = [
  'front',
  'back',
  'front-2',
  'sa',
  'shop/front',
  'bank/back',
  'sa/front',
  `${longest}/front`,
];

export const paths = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/c',
  '/admin',
  '/Admin',
  '/admin/users',
  '/admin/users/7',
  '/api/v1/users/7/orders/9',
  '/api/v1/organizations/acme/projects/citadel/environments/production/deployments/42/logs/today',
  '/a.b/c',
  '/x=1*/y',
  '/a%20b',
  '/a%252Fb',
  '/%E9/b',
  "/~-._!$&'()+,:@",
  '/a|b',
];

export const hosts = [
  'cart.shop',
  'CART.shop',
  'cart.shop:8080',
  'api.example.com',
  'api.example.com:443',
  'shop',
  '127.0.0.1:80',
  '[::1]:8080',
];
/** Trust domains and ends of them, some of nobody. */
export const trustDomains = ['mesh.test', 'old.mesh.test', 'older.test', 'other.test', 'cluster.local', 'ns'];

export const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];
export const serverNames = ['cart.shop', 'CART.shop', 'api.example.com', 'shop'];

export const headerNames = ['x-tier', 'x-user', 'x-flags', 'content-type', 'accept'] as const;
export const headerValues = ['gold', 'Gold', 'silver', 'gold,silver', 'golden', 'a b', '', '*', 'x/y', '0'];

/** Ours to bind: all of 127.0.0.0/8 is local. */
export const sourceAddresses = [
  '127.0.0.1',
  '127.0.0.2',
  '127.1.2.3',
  '127.200.0.9',
  '127.255.255.254',
  '::1',
];
export const clientAddresses = [
  '203.0.113.7',
  '203.0.113.8',
  '198.51.100.200',
  '10.0.0.1',
  '2001:db8::1',
  '2001:db8:0:1::ffff',
  '2001:db8:8000::2',
  '::ffff:203.0.113.7',
  'fe80::1',
];
export const destinationAddresses = ['127.0.0.1', '127.9.9.9', '127.77.1.2', '::1'];

export const issuers = ['https://idp.test', 'https://idp.test/realm', 'issuer', 'a/b'];
export const subjects = ['ann', 'bob', 'x/y', 'realm/ann', ''];
export const claimWords = ['read', 'write', 'admin', 'Admin', 'read write', '', 'a/b', 'administrator'];
export const claimPaths: readonly (readonly string[])[] = [
  ['scope'],
  ['permission'],
  ['groups'],
  ['role'],
  ['realm', 'roles'],
  ['realm', 'name'],
  ['realm', 'deep', 'er'],
  ['a.b'],
  ['level'],
  ['https://claims.test/x'],
  ['sub'],
];
/** Claims that are words too, by the issuer whose rule says so. */
export const spaceDelimited: Readonly<Record<string, readonly string[]>> = {
  'https://idp.test': ['groups', 'a.b', 'realm'],
  'a/b': ['role', 'scope', 'aud'],
  issuer: ['sub'],
};

/** A filter in front of the policies, and what it may have left for them. */
export const metadataFilter = 'envoy.filters.http.oracle';
export const metadataNames = ['tier', 'groups'] as const;
export const metadataWords = ['gold', 'Gold', 'golden', 'silver', 'a b', '*', ''];

/** Which providers there are to ask, and what each answers; another one is named and is not there. */
export const providers = {
  'grants-http': 'allow',
  'refuses-http': 'deny',
  'grants-grpc': 'allow',
  'refuses-grpc': 'deny',
} as const;
export const missingProvider = 'nobody';

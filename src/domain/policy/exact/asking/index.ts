export type { Any, Reading } from './ask.ts';
export { isKnown, namespaces, principals, serviceAccounts, trustDomains } from './caller.ts';
export {
  addresses,
  hasServerName,
  header,
  holdsToken,
  hosts,
  metadata,
  methods,
  paths,
  ports,
  serverNames,
} from './request.ts';
export { asText, asWords, claim, hasClaim, isForOneOf, issuerIs, tokenPrincipals } from './token.ts';

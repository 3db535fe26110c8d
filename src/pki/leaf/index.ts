export { checkIssued } from './check.ts';
export {
  createLeafIssuer,
  type LeafIssuer,
  type LeafIssuerOptions,
  type LeafRequest,
  type PreparedLeaf,
} from './issuer.ts';
export { type LeafExpectations, lintLeaf } from './lint.ts';
export { encodeDnsName, encodeUri } from './names.ts';
export { type LeafProfile, servingProfile } from './profile.ts';

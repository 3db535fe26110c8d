/** What marks a token as a development token; never the type of a Kubernetes one. */
export const tokenType = 'citadel-development+jwt';
export const issuer = 'citadel-development-issuer';
export const algorithm = 'EdDSA';

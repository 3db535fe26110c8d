/**
 * Stands where there are no keys. Envoy acknowledges an empty key set, and then answers every request with 500, those
 * without a token too (measured, 1.40). With a key that nobody has the private part of, each token is refused with 401,
 * and nothing else is. Its x is the first point of SHA-256("citadel: the key of nobody N"), N from 0 on, that lies on the
 * curve, so that anybody can see that no private key came before it.
 */
export const nobodysKeys = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      kid: 'nobody',
      x: 'FgeIyP25BYftv23QBpqwXfo9qXtZ8bPHxUKycUbzsmw',
      y: 'OBhQJzGTFtYZbnWt-3FC666tX24ZYtc7FwpPcdyBLUo',
    },
  ],
});

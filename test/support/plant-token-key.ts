import { generateKeyPairSync } from 'node:crypto';
import pkcs11 from 'pkcs11js';
import { tokenAlgorithms } from '../../src/adapters/keys/pkcs11/algorithms.ts';
import { privatePartOf } from '../../src/adapters/keys/pkcs11/private-part.ts';
import { attribute, objectClass, partsOf, publicTemplate } from '../../src/adapters/keys/pkcs11/templates.ts';

// Puts a key of one's own onto a token without its PIN, as whoever reaches the token can: as objects that are not private.
// Arguments: the module, the token's label, the key's name.

const [module = '', label = '', name = ''] = process.argv.slice(2);
const spec = tokenAlgorithms.find(({ algorithm }) => algorithm === 'ecdsa-p256');
if (!spec) throw new Error('no such algorithm');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privatePartOf(spec, privateKey);
const { shared, secret } = partsOf(key);
const library = new pkcs11.PKCS11();
library.load(module);
library.C_Initialize();
const slot = library.C_GetSlotList(true).find((each) => library.C_GetTokenInfo(each).label.trim() === label);
if (!slot) throw new Error('no such token');
const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
const type = { type: attribute.keyType, value: key.keyType };
library.C_CreateObject(session, [
  { type: attribute.class, value: objectClass.publicKey },
  type,
  ...publicTemplate(name),
  ...shared,
]);
const [token, , , ...names] = publicTemplate(name);
library.C_CreateObject(session, [
  { type: attribute.class, value: objectClass.privateKey },
  type,
  ...(token ? [token] : []),
  { type: attribute.private, value: false },
  { type: attribute.sign, value: true },
  ...names,
  ...secret,
]);
library.C_Finalize();

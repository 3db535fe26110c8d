import pkcs11 from 'pkcs11js';

// Prints how many objects a token shows to its user. Arguments: the module, the token's label, the PIN.

const [module = '', label = '', pin = ''] = process.argv.slice(2);
const library = new pkcs11.PKCS11();
library.load(module);
library.C_Initialize();
const slot = library.C_GetSlotList(true).find((each) => library.C_GetTokenInfo(each).label.trim() === label);
if (!slot) throw new Error('no such token');
const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION);
library.C_Login(session, pkcs11.CKU_USER, pin);
library.C_FindObjectsInit(session, [{ type: pkcs11.CKA_TOKEN, value: true }]);
process.stdout.write(`${library.C_FindObjects(session, 1000).length}\n`);
library.C_Finalize();

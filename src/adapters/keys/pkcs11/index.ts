export { openPkcs11KeyManager, type Pkcs11KeyManagerOptions } from './key-manager.ts';

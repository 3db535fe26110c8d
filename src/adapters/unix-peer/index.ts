export { type PeerCredentials, peerCredentials } from './peer-credentials.ts';

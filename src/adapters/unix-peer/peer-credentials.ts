import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { CitadelError } from '../../kernel/index.ts';

/** What the kernel says of the process at the other end of a Unix socket, at the time it connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

type GetSocketOption = (
  descriptor: number,
  level: number,
  option: number,
  value: Uint8Array,
  length: Uint8Array,
) => number;

// linux/asm-generic/socket.h; struct ucred is three 32-bit numbers: pid, uid, gid.
const solSocket = 1;
const soPeerCred = 17;
const ucredLength = 12;
// What the kernel answers for a socket that has no such peer, as a TCP one.
const noUser = 0xffff_ffff;

let getSocketOption: GetSocketOption | undefined;

/**
 * Asks the kernel (SO_PEERCRED), which no client can talk into anything.
 * @throws CitadelError Unavailable on another system than Linux, or when the socket is closed already
 */
export function peerCredentials(socket: Socket): PeerCredentials {
  if (process.platform !== 'linux')
    throw new CitadelError('Unavailable', 'the local socket needs Linux; use a client certificate');
  const descriptor = descriptorOf(socket);
  const value = new Uint8Array(ucredLength);
  const length = new Uint8Array(Uint32Array.of(ucredLength).buffer);
  getSocketOption ??= loadGetSocketOption();
  if (descriptor === undefined || getSocketOption(descriptor, solSocket, soPeerCred, value, length) !== 0)
    throw new CitadelError('Unavailable', 'the peer of the local socket is gone');
  const [pid, uid, gid] = new Uint32Array(value.buffer);
  if (
    pid === undefined ||
    uid === undefined ||
    gid === undefined ||
    uid === noUser ||
    new Uint32Array(length.buffer)[0] !== ucredLength
  )
    throw new CitadelError('Unavailable', 'the system does not say who the peer of the local socket is');
  return { pid, uid, gid };
}

/** Loaded at first use: most processes never open a local socket. */
function loadGetSocketOption(): GetSocketOption {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  return koffi.load('libc.so.6').func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint8_t *)');
}

/** Node offers the descriptor of a socket on its handle alone. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const descriptor: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

import type { Socket } from 'node:net';
import { CitadelError } from '../../kernel/index.ts';

/** Who is at the other end of a Unix socket, as the kernel says (unix(7), SO_PEERCRED). */
export interface PeerCredentials {
  /** 0 when the process lives in a pid namespace that we do not see. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export type PeerReader = (socket: Socket) => PeerCredentials;

const solSocket = 1;
const soPeerCred = 17;

/** Loads libc by koffi, once. Node itself does not tell a peer's credentials. */
export async function loadPeerReader(): Promise<PeerReader> {
  if (process.platform !== 'linux') {
    throw new CitadelError(
      'Unimplemented',
      'the agent checks its peers with SO_PEERCRED, which only Linux has',
    );
  }
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const getsockopt = libc.func(
    'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
  );
  return (socket) => {
    const fd = descriptorOf(socket);
    const value = Buffer.alloc(12);
    const length = [value.length];
    const failed = fd < 0 || getsockopt(fd, solSocket, soPeerCred, value, length);
    if (failed !== 0 || length[0] !== value.length) {
      throw new CitadelError('PermissionDenied', 'the peer of the connection cannot be identified');
    }
    return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
  };
}

/** Node keeps the descriptor to itself; -1 when the socket has none (any more). */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' ? fd : -1;
}

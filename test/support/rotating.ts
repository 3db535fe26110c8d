import { join } from 'node:path';
import { runCitadel } from './citadel.ts';
import type { TestMesh } from './mesh.ts';

/** `citadel rotate ...`, as the local operator. */
export async function rotate({ server: { directory } }: TestMesh, ...args: readonly string[]) {
  const socket = join(directory, 'operator.sock');
  return runCitadel(['rotate', ...args, '--socket', socket], { directory, home: 'nobody' });
}

export const rotationStatus = ({ server }: TestMesh) => server.app.rotation.status();

import { join } from 'node:path';
import { runCitadel } from './citadel.ts';
import type { TestMesh } from './mesh.ts';
import { newRequest, type TestServer } from './server.ts';

/** `citadel rotate ...`, as the local operator. */
export async function rotate({ server: { directory } }: TestMesh, ...args: readonly string[]) {
  const socket = join(directory, 'operator.sock');
  return runCitadel(['rotate', ...args, '--socket', socket], { directory, home: 'nobody' });
}

export const rotationStatus = ({ server }: TestMesh) => server.app.rotation.status();

/** A certificate for a client that never reports: PEM, leaf first, roots last, and its key. */
export async function issueWithKey(server: TestServer) {
  const token = (await server.token()).reveal();
  const { csr, privateKeyPem } = await newRequest();
  const { certChain }: { readonly certChain: readonly string[] } = await server.create({ csr }, { token });
  return { certChain, privateKeyPem };
}

/** Its certificate alone. */
export async function issueChain(server: TestServer): Promise<readonly string[]> {
  return (await issueWithKey(server)).certChain;
}

/** How many roots a chain's reply brings. */
export const rootsOf = (chain: readonly string[]) => chain.at(-1)?.match(/BEGIN/g)?.length;

/** Ends the present phase, by evidence. @returns the next one; undefined: there is no rotation */
export async function continueRotation(
  { app: { rotation } }: TestServer,
  order: { readonly by: string; readonly proof: string; readonly reason: string },
): Promise<string | undefined> {
  const { rotation: present } = await rotation.status();
  if (!present) return undefined;
  return (await rotation.continue({ ...order, phase: present.phase, force: false })).rotation?.phase;
}

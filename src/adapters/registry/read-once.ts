import { createRegistryAssembler } from '../../domain/mesh/index.ts';
import type { MeshContent } from '../../domain/ports/index.ts';
import { assemble } from './assemble.ts';
import { cluster } from './file-source.ts';
import { nextStates } from './file-states.ts';
import { readRegistryFiles } from './files.ts';

/**
 * What a directory of YAML files says at this moment, as a server that watches it takes it.
 * @returns problems: what of it does not count, one line each
 * @throws the file system's error when the directory itself cannot be read; CitadelError ResourceExhausted
 */
export async function readRegistry(
  directory: string,
): Promise<{ readonly content: MeshContent; readonly problems: readonly string[] }> {
  const { files, closed } = await readRegistryFiles(directory);
  const states = await nextStates(new Map(), {
    texts: new Map(files.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text] as const]))),
    unreadable: new Map(
      files.flatMap(({ name, problem }) => (problem === undefined ? [] : [[name, problem] as const])),
    ),
  });
  const { content, shadowed } = assemble(states, createRegistryAssembler(cluster));
  return {
    content,
    problems: [
      ...closed.map(({ name, problem }) => `${name}: ${problem}`),
      ...[...states.values()].flatMap(({ problems }) => problems.map(({ reason }) => reason)),
      ...shadowed.map(({ reason }) => reason),
    ],
  };
}

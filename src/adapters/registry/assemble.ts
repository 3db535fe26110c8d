import { isDeepStrictEqual } from 'node:util';
import type { createRegistryAssembler, MeshObjects } from '../../domain/mesh/index.ts';
import type { MeshContent, MeshSourceState } from '../../domain/ports/index.ts';
import { type FileStates, objectsOf } from './file-states.ts';

/** What all files say together, and what of it does not count. */
export function assemble(
  files: FileStates,
  registry: ReturnType<typeof createRegistryAssembler>,
): { readonly content: MeshContent; readonly shadowed: MeshSourceState['shadowed'] } {
  const objects = objectsOf(files);
  const all = [...objects.values()];
  return {
    content: {
      ...registry({
        workloads: all.flatMap((each) => (each.kind === 'Workload' ? [each.value] : [])),
        services: all.flatMap((each) => (each.kind === 'Service' ? [each.value] : [])),
      }),
      policies: all.flatMap((each) => (each.kind === 'Policy' ? [each.value] : [])),
    },
    shadowed: shadowedIn(files, objects),
  };
}

/** Objects that another file names too, and says something else of. */
function shadowedIn(files: FileStates, objects: MeshObjects): MeshSourceState['shadowed'] {
  const holder = new Map<string, string>();
  return [...files].flatMap(([name, file]) =>
    [...file.objects].flatMap(([key, object]) => {
      const first = holder.get(key);
      holder.set(key, first ?? name);
      if (first === undefined || isDeepStrictEqual(object.written.value, objects.get(key)?.written.value))
        return [];
      const reason = `${name}:${object.written.line}: does not count: ${first} has another ${key}`;
      return [{ object: key, reason }];
    }),
  );
}

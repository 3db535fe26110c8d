import type { RootRotation, RotationStore } from '../../src/domain/ports/index.ts';
import { CitadelError } from '../../src/kernel/index.ts';

export function memoryRotations(): RotationStore {
  const rotations = new Map<string, RootRotation>();
  const current = () => [...rotations.values()].find(({ phase }) => phase !== 'done' && phase !== 'aborted');
  return {
    current: async () => current(),
    async save(rotation) {
      const other = current();
      const isOver = rotation.phase === 'done' || rotation.phase === 'aborted';
      if (other && other.id !== rotation.id && !isOver)
        throw new CitadelError('AlreadyExists', 'another rotation is under way');
      rotations.set(rotation.id, rotation);
    },
    list: async (limit) =>
      [...rotations.values()]
        .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
  };
}

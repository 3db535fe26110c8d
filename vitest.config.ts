import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['citadel-source', 'node'] },
  ssr: { resolve: { conditions: ['citadel-source', 'node'] } },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 4,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    execArgv: ['--conditions=citadel-source'],
    // Most of what tests compute is programs that start: what Node compiles for one is kept for the next.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache/compiled') },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'spiffe/test/**/*.test.ts'],
          // No file leaves anything behind for the next one in its process, so that what they import is loaded once.
          isolate: false,
          restoreMocks: true,
        },
      },
      {
        extends: true,
        test: {
          name: 'soaks',
          include: ['test/e2e/main-job/soaks.test.ts'],
          // They lose no request while certificates of seconds are renewed: nothing else takes the machine from them.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**', 'test/e2e/main-job/soaks.test.ts'],
          globalSetup: ['test/parts/vitest-setup.ts'],
          // More than a small machine has cores: they wait much, for certificates to end and programs to start.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

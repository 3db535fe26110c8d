import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['citadel-source', 'node'] },
  ssr: { resolve: { conditions: ['citadel-source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts', 'spiffe/test/**/*.test.ts'],
    globalSetup: ['test/parts/vitest-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 4,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    execArgv: ['--conditions=citadel-source'],
    // Most of what tests compute is programs that start: what Node compiles for one is kept for the next.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache/compiled') },
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['citadel-source', 'node'] },
  ssr: { resolve: { conditions: ['citadel-source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts', 'spiffe/test/**/*.test.ts'],
    globalSetup: ['test/parts/vitest-setup.ts'],
    pool: 'forks',
    // More than a small machine has cores: much of the time tests wait, for certificates to end and programs to start.
    maxWorkers: 3,
    maxConcurrency: 4,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    execArgv: ['--conditions=citadel-source'],
  },
});

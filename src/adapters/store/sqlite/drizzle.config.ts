import type { Config } from 'drizzle-kit';

/** Read by scripts/gen-migrations; paths are relative to the repository's root. */
export default {
  dialect: 'sqlite',
  schema: './src/adapters/store/sqlite/schema.ts',
  out: './src/adapters/store/sqlite/migrations',
} satisfies Config;

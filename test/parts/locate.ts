import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The real programs that tests and demos run against. */
export type PartName =
  | 'envoy'
  | 'openbao'
  | 'kubeapi'
  | 'softhsm'
  | 'nftables'
  | 'chromium'
  | 'neovim'
  | 'precommit';

const script = join(import.meta.dirname, '../../scripts/fetch-parts');
const found = new Map<PartName, string | undefined>();

function locate(name: PartName): string | undefined {
  if (!found.has(name)) {
    const { stdout, status } = spawnSync(script, ['--locate', name], { encoding: 'utf8' });
    found.set(name, status === 0 ? stdout.trim() : undefined);
    if (status !== 0 && !partsAreRequired()) console.warn(`skipped where needed: ${missing(name)}`);
  }
  return found.get(name);
}

function partsAreRequired(): boolean {
  return process.env['CITADEL_REQUIRE_PARTS'] === '1' || ['true', '1'].includes(process.env['CI'] ?? '');
}

function missing(name: PartName): string {
  return `${name} is not in the cache; \`scripts/fetch-parts ${name}\` fetches it`;
}

/**
 * Whether a part is there: `describe.skipIf(!hasPart('envoy'))`. With CI=true or CITADEL_REQUIRE_PARTS=1 a missing part
 * throws here, so that a run that must be whole cannot pass by skipping.
 */
export function hasPart(name: PartName): boolean {
  if (locate(name) !== undefined) return true;
  if (partsAreRequired()) throw new Error(missing(name));
  return false;
}

/** The path of a part's program; throws when it has not been fetched. */
export function requirePart(name: PartName): string {
  const path = locate(name);
  if (path === undefined) throw new Error(missing(name));
  return path;
}

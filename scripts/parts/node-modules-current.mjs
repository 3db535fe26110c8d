// Exits 0 when node_modules holds what package-lock.json asks for, 1 when it does not. Compares versions and
// checksums, because the times of files say nothing after a checkout or an `npm install`. Plain JavaScript: any Node that starts npm runs it.
import { readFileSync } from 'node:fs';

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
if (wanted === undefined) {
  console.error('setup: package-lock.json is missing or is not JSON');
  process.exit(1);
}

const stale = Object.entries(wanted).filter(([path, entry]) => {
  if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return false;
  const there = installed?.[path];
  if (there === undefined) return !(entry.optional || entry.devOptional || entry.peer);
  return there.version !== entry.version || there.integrity !== entry.integrity;
});
process.exit(installed === undefined || stale.length > 0 ? 1 : 0);

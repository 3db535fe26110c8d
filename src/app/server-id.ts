import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CitadelError, type Entropy, systemErrorCode } from '../kernel/index.ts';

const form = /^[0-9a-f]{16}$/;

/** The name of this server process, kept across restarts: its issuing authorities belong to it alone. */
export async function loadServerId(dataDirectory: string, entropy: Entropy): Promise<string> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const file = join(dataDirectory, 'server-id');
  const made = Buffer.from(entropy.bytes(8)).toString('hex');
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${made}\n`);
    await handle.sync();
    await handle.close();
    return made;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  const id = (await readFile(file, 'utf8')).trim();
  if (!form.test(id))
    throw new CitadelError(
      'FailedPrecondition',
      `${file} does not hold a server id; remove it to start as a new server`,
    );
  return id;
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCitadel } from '../../test/support/citadel.ts';
import type { PolicedShop } from './control-plane.ts';
import type { World } from './world.ts';

export interface Author {
  /** For a shell to read: where things are, and who asks. */
  readonly environment: string;
  /** Of her key, her certificate and the roots. */
  readonly directory: string;
}

/** Somebody who may write policies, with a certificate, and what a shell must know to go through docs/policies.md. */
export async function prepareAuthor(world: World, { web, cron, orders }: PolicedShop): Promise<Author> {
  const directory = join(world.directory, 'ann');
  const enrolment = ['operator', 'enrol', '--name', 'ann', '--role', 'author', '--yes'];
  const socket = ['--socket', join(world.directory, 'data', 'operator.sock')];
  const { code, stderr } = await runCitadel([...enrolment, ...socket], {
    directory: world.directory,
    home: 'ann',
  });
  if (code !== 0) throw new Error(`ann could not be enrolled: ${stderr}`);
  const environment = join(world.directory, 'env');
  await writeFile(
    environment,
    Object.entries({
      PATH: `${join(import.meta.dirname, '..')}:$PATH`,
      CITADEL_SERVER: `localhost:${world.operatorPort}`,
      CITADEL_HOME: directory,
      WEB: `http://127.0.0.1:${web}`,
      CRON: `http://127.0.0.1:${cron}`,
      PLAINTEXT: `http://127.0.0.1:${orders}`,
    })
      .map(([name, value]) => `export ${name}="${value}"\n`)
      .join(''),
  );
  return { environment, directory };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Authority, OperatorServiceService as api } from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, type OperatorConnection } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { withConnection, withReason, withYes } from '../options.ts';
import { describeReKeying } from './re-keying.ts';

interface TaintOptions extends ConnectionOptions {
  readonly yes?: boolean;
  readonly reason: string;
  readonly wait: boolean;
}

/** Milliseconds. */
const lookInterval = 1000;

/** Adds `authority taint`. */
export function addTaintCommand(authority: Command): void {
  const command = authority
    .command('taint')
    .description('mark an issuing authority as compromised: another one signs, and agents make new keys')
    .argument('<id>', 'its id or fingerprint')
    .option('--wait', 'until the last agent has a new key', false);
  withConnection(withYes(withReason(command))).action(async () => {
    const options = command.opts<TaintOptions>();
    const [id = ''] = command.args;
    await confirm(
      `${id} signs no more, and every agent whose certificate it issued is told to make a new key.`,
      options.yes,
    );
    const connection = connectOperator(options);
    try {
      const tainted = await connection.call(api.taintAuthority, { id, reason: options.reason });
      tell(tainted);
      if (options.wait) await follow(connection, tainted.fingerprint);
      else if (tainted.reKeying?.superseded === false) throw new ExitRequest(exitCodes.warning);
    } finally {
      connection.close();
    }
  });
}

function tell({ id, fingerprint, reKeying }: Authority): void {
  process.stdout.write(
    `${id} is tainted. Certificates under it: citadel certificate list --issuer ${fingerprint}\n`,
  );
  if (reKeying === undefined) return;
  if (!reKeying.superseded) {
    process.stderr.write(
      [
        `The taint is on record, but no other issuing authority signs yet: ${reKeying.waitsFor}`,
        `Until one does, ${id} GOES ON SIGNING, and nobody is told to make a new key: he would get a certificate of it once more.`,
        'The server goes on by itself, and tries again at least once a minute. There is nothing to repeat; what has to be mended is told by citadel check.',
        `Whether it is done: citadel authority show ${id}`,
        '',
      ].join('\n'),
    );
    return;
  }
  for (const line of describeReKeying(reKeying, new Date())) process.stdout.write(`${line}\n`);
  process.stdout.write(`How far they are: citadel authority show ${id}\n`);
}

/** Tells how far the agents are until none is left to be told. */
async function follow(connection: OperatorConnection, fingerprint: string): Promise<void> {
  let last = '';
  for (;;) {
    await delay(lookInterval);
    const { authorities } = await connection.call(api.listAuthorities, {});
    const reKeying = authorities.find((each) => each.fingerprint === fingerprint)?.reKeying;
    if (reKeying === undefined) throw new CitadelError('Internal', 'the server tells of no such authority');
    const text = reKeying.superseded
      ? describeReKeying(reKeying, new Date()).join('\n')
      : 'No other issuing authority signs yet.';
    if (text !== last) process.stdout.write(`${text}\n`);
    last = text;
    if (reKeying.superseded && reKeying.waiting + reKeying.ordered === 0) return;
  }
}

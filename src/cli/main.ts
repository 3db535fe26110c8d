#!/usr/bin/env node
import { explainError } from './exit-codes.ts';
import { printable } from './output.ts';
import { createProgram } from './program.ts';

// What Node will change one day concerns whoever writes the program: grpc-js gives an address for a server's name.
process.noDeprecation = true;

// A reader such as `head` that has seen enough is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  const { exitCode, message } = explainError(error);
  if (message !== undefined)
    process.stderr.write(`citadel: ${message.split('\n').map(printable).join('\n')}\n`);
  process.exitCode = exitCode;
}

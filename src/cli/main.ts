#!/usr/bin/env node
import { exitCodes } from './exit-codes.ts';
import { runProgram } from './run-program.ts';

// What Node will change one day concerns whoever writes the program: grpc-js gives an address for a server's name.
process.noDeprecation = true;

// A reader such as `head` that has seen enough is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

/** Milliseconds for what a command that failed still has to close. */
const farewell = 500;
const exitCode = await runProgram(process.argv.slice(2));
if (exitCode !== exitCodes.ok) {
  process.exitCode = exitCode;
  // A handshake that a server never answers would keep the process. What is written goes out first.
  setTimeout(() => process.stdout.write('', () => process.exit()), farewell).unref();
}

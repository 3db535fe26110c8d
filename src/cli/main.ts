#!/usr/bin/env node
import { explainError } from './exit-codes.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  const { exitCode, message } = explainError(error);
  if (message !== undefined) process.stderr.write(`citadel: ${message}\n`);
  process.exitCode = exitCode;
}

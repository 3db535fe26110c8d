// The process that a module is loaded into: code of a token's maker shares no memory with the server's keys, cannot hold up
// its event loop, and may crash or hang without it. One request a message; ends with the channel to its parent.
import { failureOf, TokenError } from './failure.ts';
import type { Opening, Operations, Reply, Request } from './protocol.ts';
import { Token } from './token.ts';

let token: Token | undefined;

async function open({ module, ...opening }: Opening): Promise<undefined> {
  const { default: pkcs11 } = await import('pkcs11js').catch((error: unknown) => {
    throw new TokenError({ kind: 'notBuilt', text: String(error) });
  });
  const library = new pkcs11.PKCS11();
  try {
    library.load(module);
  } catch (error) {
    throw new TokenError({ kind: 'noModule', text: error instanceof Error ? error.message : '' });
  }
  token = new Token(library, opening);
}

function opened(): Token {
  if (!token) throw new TokenError({ kind: 'broken', text: 'asked before it was opened' });
  return token;
}

type Handlers = {
  readonly [K in keyof Operations]: (
    input: Operations[K]['input'],
  ) => Operations[K]['answer'] | Promise<Operations[K]['answer']>;
};

const handlers: Handlers = {
  open,
  check: () => opened().check(),
  list: (prefix) => opened().list(prefix),
  get: (label) => opened().get(label),
  generate: (generation) => opened().generate(generation),
  import: (importing) => opened().import(importing),
  sign: (signing) => opened().sign(signing),
  destroy: (label) => opened().destroy(label),
  close: () => token?.close(),
};

async function answer<K extends keyof Operations>({ id, operation, input }: Request<K>): Promise<Reply> {
  try {
    return { id, kind: 'answer', answer: await handlers[operation](input) };
  } catch (error) {
    return { id, kind: 'failure', failure: failureOf(error) };
  }
}

async function serve(request: Request): Promise<void> {
  process.send?.(await answer(request));
  if (request.operation === 'close') process.disconnect();
}

process.on('message', (request: Request) => void serve(request));
process.on('disconnect', () => process.exit());
// Whoever ends the server's whole process group gives it time to finish what it has begun.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

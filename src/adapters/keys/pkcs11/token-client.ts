import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { CitadelError, type Log, type Secret } from '../../../kernel/index.ts';
import { keyManagerClosed } from '../shared/index.ts';
import type { Opening, Operation, Operations, Reply, Request } from './protocol.ts';
import { isLost, refusalOf, refusesPin } from './refusals.ts';

export interface TokenClientOptions extends Omit<Opening, 'pin'> {
  readonly pin: Secret<string>;
  /** Of one call, milliseconds. */
  readonly timeout: number;
  /** Of making a key, which takes a small token minutes. */
  readonly generationTimeout: number;
  readonly log: Log;
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const entry = new URL(`./token-process${extname(import.meta.filename)}`, import.meta.url);
const shutdownGrace = 2_000;

/**
 * Calls a token in a process of its own, which is started at the first call, and anew after it is lost: with its token, by
 * a crash of the module, or because a call took too long. Each start is one login.
 */
export class TokenClient {
  readonly #options: TokenClientOptions;
  #process: Promise<TokenProcess> | undefined;
  /** For good: another try with the same PIN would count. */
  #pinRefused: CitadelError | undefined;
  #closed = false;

  constructor(options: TokenClientOptions) {
    this.#options = options;
  }

  /**
   * @param repeatable done once more, in a new process, where the present one has lost its token
   * @throws CitadelError Unavailable where the token cannot be reached, or does not answer in time
   */
  async call<K extends Operation>(
    operation: K,
    input: Operations[K]['input'],
    { repeatable = true, signal }: { readonly repeatable?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<Operations[K]['answer']> {
    const known = this.#process;
    try {
      return await this.#once(operation, input, signal);
    } catch (error) {
      const again = error instanceof LostToken && repeatable && known !== undefined;
      if (!again || this.#closed || signal?.aborted) throw error;
      return await this.#once(operation, input, signal);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const running = await this.#process?.catch(() => undefined);
    await running?.close();
  }

  async #once<K extends Operation>(
    operation: K,
    input: Operations[K]['input'],
    signal: AbortSignal | undefined,
  ): Promise<Operations[K]['answer']> {
    signal?.throwIfAborted();
    const started = this.#start();
    const { timeout, generationTimeout } = this.#options;
    try {
      return await unlessAborted(
        started.then((running) =>
          running.call(operation, input, operation === 'generate' ? generationTimeout : timeout),
        ),
        signal,
      );
    } catch (error) {
      if (error instanceof LostToken) this.#forget(started);
      throw error;
    }
  }

  #start(): Promise<TokenProcess> {
    if (this.#closed) throw keyManagerClosed();
    if (this.#pinRefused) throw this.#pinRefused;
    if (this.#process) return this.#process;
    const { pin, log, timeout, module, token, sessions } = this.#options;
    const running = new TokenProcess(() => this.#forget(started));
    const started: Promise<TokenProcess> = running
      .call('open', { module, token, sessions, pin: pin.reveal() }, timeout)
      .then(
        () => {
          log.info('logged in to the PKCS#11 token', { token: token.value });
          return running;
        },
        (error: unknown) => {
          running.kill();
          this.#forget(started);
          if (error instanceof RefusedPin) {
            this.#pinRefused = error;
            log.error('the PKCS#11 token refused the PIN; it is not tried again', { token: token.value });
          }
          throw error;
        },
      );
    this.#process = started;
    return started;
  }

  #forget(which: Promise<TokenProcess>): void {
    if (this.#process === which) this.#process = undefined;
    void which.then((running) => running.kill()).catch(() => {});
  }
}

/** Who gives up is not kept waiting; what he asked for goes on, until its own deadline. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  using cleanup = new DisposableStack();
  const aborted = new Promise<never>((_resolve, reject) => {
    const give = () =>
      reject(new CitadelError('Cancelled', 'the PKCS#11 token was not waited for any longer'));
    signal.addEventListener('abort', give);
    cleanup.defer(() => signal.removeEventListener('abort', give));
  });
  return await Promise.race([work, aborted]);
}

class LostToken extends CitadelError {}
class RefusedPin extends CitadelError {}

/** One process that has loaded the module, or is about to. */
class TokenProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  constructor(onEnd: () => void) {
    this.#child = fork(entry, [], {
      // Its own messages may say anything of what they were given; a crash shows in how the process ends.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Neither a debugger's port nor conditions of imports, of which it has none.
      execArgv: [],
      serialization: 'advanced',
    });
    this.#child.on('message', (reply: Reply) => this.#take(reply));
    const ended = (how: string) => {
      onEnd();
      this.#rejectAll(
        new LostToken(
          'Unavailable',
          'the process of the PKCS#11 module has ended; it is started again when it is needed',
          {
            details: how,
          },
        ),
      );
    };
    this.#child.on('error', (error) => ended(error.message));
    this.#child.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
  }

  call<K extends Operation>(
    operation: K,
    input: Operations[K]['input'],
    timeout: number,
  ): Promise<Operations[K]['answer']> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // Whatever holds it up, nothing else comes through to the token in that process.
        this.kill();
        reject(new LostToken('Unavailable', `the PKCS#11 token did not answer within ${timeout} ms`));
      }, timeout);
      const settled = () => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (answer) => {
          settled();
          // The other end is ours: it answers by the same table of operations.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          resolve(answer as Operations[K]['answer']);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      const request: Request<K> = { id, operation, input };
      this.#child.send(request, (error) => {
        if (error)
          this.#pending
            .get(id)
            ?.reject(new LostToken('Unavailable', 'the process of the PKCS#11 module has ended'));
      });
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    await this.call('close', undefined, shutdownGrace).catch(() => this.kill());
    if (this.#child.exitCode === null && this.#child.signalCode === null) await ended;
  }

  #take(reply: Reply): void {
    const waiting = this.#pending.get(reply.id);
    if (!waiting) return;
    if (reply.kind === 'answer') waiting.resolve(reply.answer);
    else {
      const { failure } = reply;
      const { code, message, details } = refusalOf(failure);
      const Kind = isLost(failure) ? LostToken : refusesPin(failure) ? RefusedPin : CitadelError;
      waiting.reject(new Kind(code, message, details === undefined ? {} : { details }));
    }
  }

  #rejectAll(error: CitadelError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}

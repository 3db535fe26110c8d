import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { callEnding, failStream } from './status.ts';

/**
 * Serves a call whose reply is a stream, no faster than the caller reads. The iterable is left, and so its resources
 * freed, when the caller goes or takes longer than `deadlineMilliseconds`.
 */
export function serverStream<Request, Response>(
  deadlineMilliseconds: number,
  serve: (
    request: Request,
    call: ServerWritableStream<Request, Response>,
  ) => Promise<AsyncIterable<Response>>,
): (call: ServerWritableStream<Request, Response>) => void {
  return (call) => {
    void answer(call);
  };

  async function answer(call: ServerWritableStream<Request, Response>): Promise<void> {
    using ending = callEnding(call, deadlineMilliseconds);
    try {
      for await (const response of await serve(call.request, call)) {
        ending.signal.throwIfAborted();
        if (!call.write(response)) await once(call, 'drain', { signal: ending.signal });
      }
      call.end();
    } catch (error) {
      failStream(call, ending.signal.aborted ? ending.signal.reason : error);
    }
  }
}

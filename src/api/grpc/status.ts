import { Metadata, type ServerUnaryCall, type ServiceError, type sendUnaryData, status } from '@grpc/grpc-js';
import { CitadelError, type ErrorCode, toCitadelError } from '../../kernel/index.ts';

const grpcStatus: Readonly<Record<ErrorCode, status>> = {
  Cancelled: status.CANCELLED,
  Unknown: status.UNKNOWN,
  InvalidArgument: status.INVALID_ARGUMENT,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  NotFound: status.NOT_FOUND,
  AlreadyExists: status.ALREADY_EXISTS,
  PermissionDenied: status.PERMISSION_DENIED,
  ResourceExhausted: status.RESOURCE_EXHAUSTED,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Aborted: status.ABORTED,
  OutOfRange: status.OUT_OF_RANGE,
  Unimplemented: status.UNIMPLEMENTED,
  Internal: status.INTERNAL,
  Unavailable: status.UNAVAILABLE,
  DataLoss: status.DATA_LOSS,
  Unauthenticated: status.UNAUTHENTICATED,
};

/** What a caller is told of an error: its code and message, never its details or cause. */
function toServiceError(thrown: unknown): ServiceError {
  const error = toCitadelError(thrown);
  return Object.assign(new Error(error.message), {
    code: grpcStatus[error.code],
    details: error.message,
    metadata: new Metadata(),
  });
}

/**
 * Serves a unary call by an async function, with a signal that ends at the caller's cancellation or after
 * `deadlineMilliseconds`, whichever is first.
 */
export function unary<Request, Response>(
  deadlineMilliseconds: number,
  serve: (
    request: Request,
    call: ServerUnaryCall<Request, Response>,
    signal: AbortSignal,
  ) => Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void {
  return (call, callback) => {
    void answer(call, callback);
  };

  async function answer(
    call: ServerUnaryCall<Request, Response>,
    reply: sendUnaryData<Response>,
  ): Promise<void> {
    using ending = callEnding(call, deadlineMilliseconds);
    const { signal } = ending;
    try {
      reply(null, await serve(call.request, call, signal));
    } catch (error) {
      reply(toServiceError(signal.aborted ? abortedAs(signal, error) : error), null);
    }
  }
}

/** A signal for what a call does, aborted with the reason when the caller goes or the time is up. Dispose it at the end. */
export function callEnding(
  call: Pick<NodeJS.EventEmitter, 'on' | 'removeListener'>,
  deadlineMilliseconds: number,
): Disposable & { readonly signal: AbortSignal } {
  const ending = new AbortController();
  const onCancelled = () => ending.abort(new CitadelError('Cancelled', 'the caller cancelled'));
  call.on('cancelled', onCancelled);
  const timer = setTimeout(
    () => ending.abort(new CitadelError('DeadlineExceeded', 'the call took too long')),
    deadlineMilliseconds,
  );
  return {
    signal: ending.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      call.removeListener('cancelled', onCancelled);
    },
  };
}

/** A generic abort error is told by the reason of the signal; what already has a code keeps it. */
function abortedAs(signal: AbortSignal, error: unknown): unknown {
  return error instanceof CitadelError ? error : signal.reason;
}

/**
 * Ends a stream with an error's status. By its event, for grpc-js sends no status for a stream that is destroyed: the
 * client would wait for ever.
 */
export function failStream(stream: Pick<NodeJS.EventEmitter, 'emit'>, error: unknown): void {
  stream.emit('error', toServiceError(error));
}

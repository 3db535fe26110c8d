import type { AccessLogEntry, AccessLogSession, AccessLogSink } from '../ports/index.ts';

/** The same sink, but that `record` gets what streams bring, and hands it on to the session itself. */
export function interposed(
  sink: AccessLogSink,
  record: (session: AccessLogSession, entries: readonly AccessLogEntry[]) => void,
): AccessLogSink {
  return {
    open(proxy) {
      const session = sink.open(proxy);
      return {
        workload: session.workload,
        record: (entries) => record(session, entries),
        refuse: (entries, reason) => session.refuse(entries, reason),
        close: () => session.close(),
      };
    },
  };
}

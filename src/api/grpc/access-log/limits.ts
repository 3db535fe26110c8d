/** What one proxy may use. Times are milliseconds. */
export interface AccessLogLimits {
  /** One for each of its worker threads; when there is one more the oldest is ended. */
  readonly streamsPerProxy: number;
  /** A proxy that sends more than this for longer than a burst is ended; what it then loses shows in its counters. */
  readonly entriesPerSecond: number;
  readonly entriesBurst: number;
  readonly entriesPerMessage: number;
  readonly nodeCharacters: number;
  readonly textCharacters: number;
  /** Until a stream's first message. */
  readonly firstMessage: number;
}

export const defaultAccessLogLimits: AccessLogLimits = {
  streamsPerProxy: 64,
  entriesPerSecond: 2_000,
  entriesBurst: 10_000,
  entriesPerMessage: 1_024,
  nodeCharacters: 32_768,
  textCharacters: 1_024,
  firstMessage: 15_000,
};

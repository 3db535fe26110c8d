/** What one proxy may use. Times are milliseconds. */
export interface DiscoveryLimits {
  /** Streams of one proxy at once; when there is one more the oldest is ended, for it is the one that was lost. */
  readonly streamsPerProxy: number;
  readonly typesPerStream: number;
  /** Names that a stream subscribes to, of all types together. */
  readonly names: number;
  readonly nameCharacters: number;
  /** A node's id and metadata, as JSON. */
  readonly nodeCharacters: number;
  /** What is kept of a NACK's text. */
  readonly errorCharacters: number;
  /** Until a stream's first request. */
  readonly firstRequest: number;
  /** How long a listener waits for the answer about its clusters. */
  readonly orderWait: number;
  /** How long what is gone is kept for those that may still name it. */
  readonly removalWait: number;
  /** How long a push may be unread or unanswered before the stream is ended. */
  readonly answer: number;
}

export const defaultDiscoveryLimits: DiscoveryLimits = {
  streamsPerProxy: 4,
  typesPerStream: 16,
  names: 16_384,
  nameCharacters: 512,
  nodeCharacters: 32_768,
  errorCharacters: 4096,
  firstRequest: 15_000,
  orderWait: 5000,
  removalWait: 15_000,
  answer: 120_000,
};

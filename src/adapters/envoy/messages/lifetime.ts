import { duration } from './values.ts';

/** Milliseconds; Envoy's own default, for clients whose requests cross the notice. */
const longestNotice = 5_000;

/**
 * The life of an HTTP connection, dealt out so that its parts are together what a connection may have: Envoy only drains
 * one that is old, and lets what goes on on it end by itself, unless that has a limit of its own. A request, a WebSocket
 * and a stream of gRPC have half of it; no new one begins in that half.
 */
export function httpLifetime(connectionLifetime: number) {
  const stream = connectionLifetime / 2;
  const notice = Math.min(longestNotice, connectionLifetime / 10);
  return {
    connection: duration(connectionLifetime - stream - notice),
    notice: duration(notice),
    stream: duration(stream),
  };
}

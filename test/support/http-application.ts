import { createServer, type RequestListener, type Server } from 'node:http';

/**
 * A program behind a proxy, which leaves its connections open until it ends. By default Node closes one that is idle for
 * five seconds: a proxy that sends its next request at that very moment answers 503 itself.
 */
export function createApplication(listener: RequestListener): Server {
  return createServer({ keepAliveTimeout: 0 }, listener);
}

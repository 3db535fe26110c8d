import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems take for the near end of a connection that goes out (Linux: from 32768). */
const lowest = 12_000;
const highest = 31_999;
/** Of ports, at which each process begins its own, so that tests that run at the same time do not pick the same ones. */
const block = 64;

const blocks = Math.floor((highest - lowest + 1) / block);
let next = lowest + (process.pid % blocks) * block;

/**
 * A TCP port of 127.0.0.1 that is free now, and that this process has not been given before. Only for programs that
 * cannot listen on port 0 and tell. Asking the system for a port is not enough for these: it gives one out again as soon
 * as it is let go, and two Envoys that are told the same one share it without a word (SO_REUSEPORT).
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried <= highest - lowest; tried += 1) {
    const port = next;
    next = port === highest ? lowest : port + 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of 127.0.0.1 from ${lowest} to ${highest} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

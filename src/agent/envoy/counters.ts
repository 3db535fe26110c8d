import type { ProxyCounters } from '../../domain/evidence/index.ts';
import type { HandshakeReport } from '../../domain/ports/index.ts';
import { CitadelError, type Clock, describeError, type Log } from '../../kernel/index.ts';
import { callAdmin } from './admin.ts';
import { HandshakeCounter, handshakeFilter } from './handshakes.ts';
import { isJsonObject } from './json.ts';

const deadline = 5_000;
const interval = 5_000;
/** Uptime is told in whole seconds. */
const tolerance = 2_500;

const log = 'access_logs.grpc_access_log';
const listeners = 'listener_manager';
const names = {
  flushed: [`${log}.grpc_entries_flushed`],
  // An entry of a full buffer is not kept; one that a stream did not take is, and yet it may be told too late.
  dropped: [`${log}.logs_dropped`, `${log}.grpc_entries_flush_failed`],
  warming: [`${listeners}.total_listeners_warming`],
  draining: [`${listeners}.total_listeners_draining`, `${listeners}.total_filter_chains_draining`],
} as const;
const filter = `^(${Object.values(names).flat().join('|').replaceAll('.', '\\.')})$|${handshakeFilter}`;

/** What is read of an Envoy at one moment. */
export type EnvoyReading = ProxyCounters & Pick<HandshakeReport, 'downstream' | 'upstream'>;

export interface CountersOptions {
  readonly adminSocket: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads every few seconds what Envoy says of its access log, of listeners that drain, and of handshakes that failed. */
export class EnvoyCounters {
  readonly #options: CountersOptions;
  readonly #listeners = new Set<(counters: EnvoyReading) => void>();
  #startedAt: Date | undefined;
  #handshakes = new HandshakeCounter();

  constructor(options: CountersOptions) {
    this.#options = options;
  }

  /** Called with each reading; @returns a function that ends the subscription */
  subscribe(listener: (counters: EnvoyReading) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log: logger } = this.#options;
    while (!signal.aborted) {
      try {
        const counters = await this.#read();
        for (const listener of this.#listeners) listener(counters);
      } catch (error) {
        logger.debug('cannot read what Envoy counts', { reason: describeError(error) });
      }
      await clock.sleep(interval, signal).catch(() => undefined);
    }
  }

  async #read(): Promise<EnvoyReading> {
    const { adminSocket, clock } = this.#options;
    const info = await callAdmin(adminSocket, 'GET', '/server_info', deadline);
    const askedAt = clock.now();
    const { uptime, drainTime } = readServerInfo(info.body);
    const started = askedAt.getTime() - uptime;
    const known = this.#startedAt?.getTime();
    if (known === undefined || Math.abs(started - known) > tolerance) {
      this.#startedAt = new Date(started);
      this.#handshakes = new HandshakeCounter();
    }
    const path = `/stats?format=json&filter=${encodeURIComponent(filter)}`;
    const stats = await callAdmin(adminSocket, 'GET', path, deadline);
    const values = readStats(stats.body);
    // Before the counters were read: what they tell is true of this moment at the least.
    return {
      startedAt: this.#startedAt ?? askedAt,
      observedAt: askedAt,
      drainTime,
      ...countersOf(values),
      ...this.#handshakes.count(values),
    };
  }
}

/** Reads /server_info: milliseconds. @throws CitadelError DataLoss when it is something else */
export function readServerInfo(body: string): { readonly uptime: number; readonly drainTime: number } {
  const document = parseJson(body);
  const options = document['command_line_options'];
  const uptime = seconds(document['uptime_current_epoch']);
  const drainTime = isJsonObject(options) ? seconds(options['drain_time']) : undefined;
  if (uptime === undefined || drainTime === undefined)
    throw new CitadelError('DataLoss', "Envoy's /server_info has an unexpected form");
  return { uptime, drainTime };
}

/** Reads /stats as JSON, by name; a counter that was never used is not there. @throws CitadelError DataLoss */
export function readStats(body: string): ReadonlyMap<string, number> {
  const stats = parseJson(body)['stats'];
  if (!Array.isArray(stats)) throw new CitadelError('DataLoss', "Envoy's /stats has an unexpected form");
  return new Map(
    stats.flatMap((stat: unknown) =>
      isJsonObject(stat) && typeof stat['name'] === 'string' && typeof stat['value'] === 'number'
        ? [[stat['name'], stat['value']] as const]
        : [],
    ),
  );
}

export function countersOf(
  values: ReadonlyMap<string, number>,
): Pick<ProxyCounters, 'flushed' | 'dropped' | 'warming' | 'draining'> {
  const sum = (of: readonly string[]) => of.reduce((total, name) => total + (values.get(name) ?? 0), 0);
  return {
    flushed: sum(names.flushed),
    dropped: sum(names.dropped),
    warming: sum(names.warming),
    draining: sum(names.draining),
  };
}

function parseJson(body: string) {
  try {
    const document: unknown = JSON.parse(body);
    if (isJsonObject(document)) return document;
  } catch {
    // Told below, with what it was.
  }
  throw new CitadelError('DataLoss', "Envoy's admin has answered with something else than JSON");
}

function seconds(text: unknown): number | undefined {
  const [, digits] = typeof text === 'string' ? (/^(\d+(?:\.\d+)?)s$/.exec(text) ?? []) : [];
  return digits === undefined ? undefined : Number(digits) * 1000;
}

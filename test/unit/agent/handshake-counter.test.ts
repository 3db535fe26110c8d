import { expect, test } from 'vitest';
import { HandshakeCounter, handshakeFilter } from '../../../src/agent/envoy/handshakes.ts';

const none = { untrusted: 0, otherIdentity: 0, noCertificate: 0, connection: 0 };
const inbound = 'listener.127.0.0.1_8080.ssl';

test('adds up failed handshakes by role and reason, and nothing else', () => {
  const counter = new HandshakeCounter();
  const values = new Map([
    [`${inbound}.fail_verify_error`, 1],
    ['listener.[__1]_8080.ssl.fail_verify_error', 2],
    [`${inbound}.fail_verify_no_cert`, 3],
    [`${inbound}.handshake`, 99],
    ['listener.admin.downstream_cx_total', 99],
    ['cluster.orders.ssl.fail_verify_san', 4],
    ['cluster.orders.ssl.fail_verify_cert_hash', 5],
    ['cluster.orders.ssl.connection_error', 6],
    ['http.ssl.connection_error', 99],
  ]);
  expect(counter.count(values)).toStrictEqual({
    downstream: { ...none, untrusted: 3, noCertificate: 3 },
    upstream: { ...none, otherIdentity: 9, connection: 6 },
  });
});

test('only grows: neither a listener that goes nor one that comes in its place takes anything away', () => {
  const counter = new HandshakeCounter();
  const count = (...values: readonly number[]) =>
    counter.count(new Map(values.map((value) => [`${inbound}.connection_error`, value]))).downstream
      .connection;
  expect([count(5), count(7), count(), count(2), count(2), count(1)]).toStrictEqual([5, 7, 7, 9, 9, 10]);
});

test('asks Envoy for these alone', () => {
  const asked = new RegExp(handshakeFilter);
  expect(asked.test('cluster.a.b.ssl.connection_error')).toBe(true);
  expect(asked.test('cluster.a.b.ssl.connection_error_rate')).toBe(false);
  expect(asked.test('cluster.a.upstream_cx_total')).toBe(false);
});

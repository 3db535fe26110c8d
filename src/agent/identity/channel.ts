import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { AgentOptions } from '../options.ts';
import type { Identity } from './identity.ts';
import { splitAddress } from './server-trust.ts';

/** TLS towards the server: its certificate must chain to `roots`; ours is offered when we have one. */
export function serverCredentials(roots: string, identity: Identity | undefined): ChannelCredentials {
  return ChannelCredentials.createFromSecureContext(
    createSecureContext({
      ca: roots,
      minVersion: 'TLSv1.3',
      ...(identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem.reveal() }),
    }),
  );
}

export function channelOptions({ server }: AgentOptions): ChannelOptions {
  const { host } = splitAddress(server.address);
  const name = server.serverName ?? host;
  return {
    // The CRLs of a large fleet: a certificate that is taken back costs 52 octets.
    'grpc.max_receive_message_length': 4 * 1024 * 1024,
    'grpc.max_send_message_length': 256 * 1024,
    // One connection of our own a client: a pooled one would keep the certificate of the client before.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(isIP(name) === 0 ? { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name } : {}),
  };
}

/** The target for grpc-js; an IPv6 host keeps its brackets. */
export function channelTarget({ server }: AgentOptions): string {
  const { host } = splitAddress(server.address);
  const scheme = isIP(host) === 4 ? 'ipv4' : isIP(host) === 6 ? 'ipv6' : 'dns';
  return `${scheme}:${server.address}`;
}

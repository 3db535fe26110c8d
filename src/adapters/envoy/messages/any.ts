import type { Any } from '../../../gen/google/protobuf/any.ts';

/** What ts-proto generates for a message. */
export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** Type URLs that are written or served here, by the message's full name. */
export const typeUrlOf = (name: string): string => `type.googleapis.com/${name}`;

export function pack<T>(name: string, type: MessageType<T>, message: T): Any {
  return { typeUrl: typeUrlOf(name), value: Buffer.from(type.encode(message).finish()) };
}

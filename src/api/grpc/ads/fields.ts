/** Bytes of a length-delimited field of protobuf with a content of this length; its number is below 16. */
export function fieldLength(content: number): number {
  return 1 + varintLength(content) + content;
}

function varintLength(value: number): number {
  let length = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) length += 1;
  return length;
}

/** Writes length-delimited fields one after the other into a buffer that has room for them. */
export class FieldWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  raw(value: Uint8Array): void {
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
  }

  /** The start of a field, whose content of this length is written next. */
  open(field: number, length: number): void {
    this.#byte((field << 3) | 2);
    let left = length;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#byte((left & 0x7f) | 0x80);
    this.#byte(left);
  }

  bytes(field: number, value: Uint8Array): void {
    this.open(field, value.length);
    this.raw(value);
  }

  text(field: number, value: string): void {
    this.open(field, Buffer.byteLength(value));
    this.#at += this.#buffer.write(value, this.#at);
  }

  #byte(value: number): void {
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }
}

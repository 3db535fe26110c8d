export { oidText } from './oid-text.ts';
export { DerReader } from './reader.ts';
export { context, tag } from './tags.ts';
export { readTime } from './time.ts';
export { readString, walk, walkOne } from './walk.ts';
export {
  bitString,
  encode,
  headerLength,
  namedBits,
  octetString,
  oid,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
  writeHeader,
} from './writer.ts';

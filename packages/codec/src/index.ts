export { canonicalJson, jcsString } from './canonical-json.ts'
export { deflate, inflate } from './deflate.ts'
export { CodecError, type CodecErrorCode } from './errors.ts'
export { compareBytes, concatBytes, equalBytes, fromHex, toHex } from './hex.ts'
export {
  JsonError,
  type JsonErrorCode,
  type JsonLimits,
  type JsonMember,
  type JsonNode,
  lineOf,
  memberOf,
  parseJson,
  textMemberOf,
} from './json.ts'
export {
  bool,
  bytes,
  bytesMax,
  decode,
  decodeShared,
  enclosed,
  encode,
  type Infer,
  list,
  nullable,
  oneOf,
  raw,
  refine,
  type Schema,
  struct,
  text,
  tuple,
  uint,
  variant,
  versioned,
} from './schema.ts'
export { utf8Bytes } from './utf8.ts'

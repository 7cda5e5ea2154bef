// What libp2p does for every packet and need not do: here votes are small and many, so that what a packet costs
// beside its bytes is most of what the network costs.
//
// - A window was opened again after every frame that was read: as many packets went back as came. It is opened
//   when half of it is used up, as the specification of yamux has it.
// - noise hands a packet over in two pieces, its length and its bytes, and tcp writes each on its own: two system
//   calls and two segments for every vote. They go in one piece, with all that is said to the peer in the same
//   turn of the event loop.
// - The reader of noise learned from an error that no further packet has come: the stack of one for every packet.
//   It learns it from a length that is more than what is there.
//
// All of it is parts of libp2p that its interfaces leave out. Where one is not as it was, it stays as it is.

import type { MessageStream, MultiaddrConnection, Stream, StreamMuxer } from '@libp2p/interface'
import type { yamux } from '@libp2p/yamux'

type Muxing = ReturnType<typeof yamux>

const LENGTH_BYTES = 2
const LENGTH_MAX = 0xffff
/** Joining what is larger costs more than a second piece of the same write. */
const JOINED_BYTES_MAX = 4_096
/** Of yamux: neither the first frame of a stream nor the first answer to it; those carry flags. */
const ESTABLISHED = 3

export function lazyWindows(muxing: Muxing): Muxing {
  return () => {
    const factory = muxing()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      if (isPacketReader(connection)) connection.decoder.lengthDecoder = lengthOf
      const muxer = create(connection)
      openLazily(muxer)
      return muxer
    }
    return factory
  }
}

interface StreamMaker {
  onCreateStream(...options: unknown[]): Stream
  onRemoteStream(stream: Stream): void
}

function openLazily(muxer: StreamMuxer | StreamMaker): void {
  if (!isStreamMaker(muxer)) return
  const create = muxer.onCreateStream.bind(muxer)
  const take = muxer.onRemoteStream.bind(muxer)
  muxer.onCreateStream = (...options) => lazy(create(...options))
  muxer.onRemoteStream = (stream) => take(lazy(stream))
}

function isStreamMaker(muxer: StreamMuxer | StreamMaker): muxer is StreamMaker {
  return 'onCreateStream' in muxer && 'onRemoteStream' in muxer
}

interface Windowed {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

function isWindowed<T extends object>(stream: T): stream is T & Windowed {
  return (
    'sendWindowUpdate' in stream &&
    typeof stream.sendWindowUpdate === 'function' &&
    'recvWindow' in stream &&
    'recvWindowCapacity' in stream &&
    'state' in stream
  )
}

function lazy(stream: Stream): Stream {
  if (!isWindowed(stream)) return stream
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isWide = stream.recvWindowCapacity > stream.recvWindow / 2
    if (stream.state !== ESTABLISHED || !isWide) update()
  }
  return stream
}

interface PacketReader {
  readonly decoder: { lengthDecoder: (bytes: ByteList) => number }
}

interface ByteList {
  readonly byteLength: number
  get(index: number): number
}

function isPacketReader<T extends MessageStream>(connection: T): connection is T & PacketReader {
  return (
    'decoder' in connection &&
    typeof connection.decoder === 'object' &&
    connection.decoder !== null &&
    'lengthDecoder' in connection.decoder
  )
}

/** Of the next packet; before that has come it is longer than all that is there. */
function lengthOf(bytes: ByteList): number {
  if (bytes.byteLength < LENGTH_BYTES) return LENGTH_MAX
  return (bytes.get(0) << 8) | bytes.get(1)
}

interface PacketWriter {
  readonly socket: { cork(): void; uncork(): void }
  sendData(packet: Uint8Array[] | PacketPieces): unknown
}

interface PacketPieces extends Iterable<Uint8Array> {
  readonly byteLength: number
  subarray(): Uint8Array
}

export function joinPackets(connection: MultiaddrConnection): void {
  if (!isPacketWriter(connection)) return
  const { socket } = connection
  const sendData = connection.sendData.bind(connection)
  let isCorked = false
  const uncork = (): void => {
    isCorked = false
    socket.uncork()
  }
  connection.sendData = (packet) => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      process.nextTick(uncork)
    }
    const isSmall = !Array.isArray(packet) && packet.byteLength <= JOINED_BYTES_MAX
    return sendData(isSmall ? [packet.subarray()] : packet)
  }
}

function isPacketWriter<T extends object>(connection: T): connection is T & PacketWriter {
  return (
    'sendData' in connection &&
    typeof connection.sendData === 'function' &&
    'socket' in connection &&
    typeof connection.socket === 'object' &&
    connection.socket !== null &&
    'cork' in connection.socket
  )
}

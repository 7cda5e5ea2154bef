// One connection to a signer, kept up: dialled again for as long as it takes, and asked how it is every few
// seconds, so that a signer that hangs is noticed as well as one that is gone.

import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from './clock.ts'
import { NodeError } from './node-error.ts'
import type { SignerAddress } from './signer-address.ts'
import {
  decodeAnswer,
  questionFrame,
  readFrames,
  type SignerAnswer,
  type SignerQuestion,
} from './signer-messages.ts'
import { readTlsParts } from './signer-tls.ts'

const DIAL_MS = 5_000
const ANSWER_MS = 5_000

interface Waiting {
  answered: (answer: SignerAnswer) => void
  failed: (error: NodeError) => void
  cancel: () => void
}

export class SignerLink {
  readonly #address: SignerAddress
  readonly #clock: Pick<Clock, 'after'>
  readonly #waiting = new Map<number, Waiting>()
  readonly #socket: Socket
  readonly #onDown: (error: NodeError) => void
  #id = 0
  #isDown = false
  #hasAnswered = false

  private constructor(
    address: SignerAddress,
    socket: Socket,
    { clock, onDown }: { clock: Pick<Clock, 'after'>; onDown: (error: NodeError) => void },
  ) {
    this.#address = address
    this.#clock = clock
    this.#socket = socket
    this.#onDown = onDown
    readFrames(socket, (frame) => this.#take(frame))
    socket.on('error', (error) => this.#down(describeFailure(error)))
    socket.on('close', () => this.#down(this.#closedText()))
  }

  /** @throws NodeError signer_unreachable, signer_tls, and what is wrong with a file of ours. */
  static async open(
    address: SignerAddress,
    modules: { clock: Pick<Clock, 'after'>; onDown: (error: NodeError) => void },
  ): Promise<SignerLink> {
    const socket = await dial(address)
    return new SignerLink(address, socket, modules)
  }

  /** @throws NodeError when the connection ends before the answer comes. */
  ask(question: SignerQuestion): Promise<SignerAnswer> {
    return new Promise((answered, failed) => {
      if (this.#isDown) return failed(this.#unreachable('the connection is closed'))
      this.#id += 1
      const late = () => this.#down(`no answer within ${ANSWER_MS / 1_000} s`)
      const cancel = this.#clock.after(ANSWER_MS, late)
      this.#waiting.set(this.#id, { answered, failed, cancel })
      this.#socket.write(questionFrame(this.#id, question))
    })
  }

  close(): void {
    this.#down('the connection is closed')
  }

  #closedText(): string {
    const closed = 'it has closed the connection'
    if (this.#hasAnswered || this.#address.kind === 'unix') return closed
    return `${closed} before it answered; most likely it does not accept ${this.#address.tls.cert}`
  }

  #take(frame: Uint8Array): void {
    this.#hasAnswered = true
    const { id, about } = decodeAnswer(frame)
    if (id === 0 && about.kind === 'refusal') return this.#down(refusedText(about.body.asked))
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.cancel()
    waiting?.answered(about)
  }

  #down(detail: string): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#socket.destroy()
    const error = this.#unreachable(detail)
    for (const { failed, cancel } of this.#waiting.values()) {
      cancel()
      failed(error)
    }
    this.#waiting.clear()
    this.#onDown(error)
  }

  #unreachable(detail: string): NodeError {
    return new NodeError('signer_unreachable', { signer: this.#address.text, detail })
  }
}

const refusedText = (name: string) => `it does not let ${name} in ([signer] clients)`

async function dial(address: SignerAddress): Promise<Socket> {
  const tls = address.kind === 'tls' ? await readTlsParts(address.tls) : null
  return new Promise((connected, failed) => {
    const socket =
      address.kind === 'unix' || tls === null
        ? connectPlain({ path: address.kind === 'unix' ? address.path : '' })
        : connectTls({ ...tls, host: address.host, port: address.port, rejectUnauthorized: true })
    const fail = (detail: string): void => {
      socket.destroy()
      failed(new NodeError('signer_unreachable', { signer: address.text, detail }))
    }
    const onError = (error: Error): void => fail(describeFailure(error))
    socket.once('error', onError)
    socket.setTimeout(DIAL_MS, () => fail('it does not take the connection'))
    socket.once(address.kind === 'unix' ? 'connect' : 'secureConnect', () => {
      socket.off('error', onError)
      socket.setTimeout(0)
      connected(socket)
    })
  })
}

function describeFailure(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'there is no socket'
    case 'ECONNREFUSED':
      return 'nobody listens there'
    case 'EACCES':
      return 'this user may not open the socket'
    default:
      return error.message
  }
}

// A real browser without a window, driven over its debugging protocol. Where the computer has none, the
// tests that need one say so.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']
const START_MS = 30_000
const APPEAR_MS = 30_000

export type Browser = {
  open: (url: string) => Promise<void>
  /** The value of an expression in the page. */
  read: <T>(expression: string) => Promise<T>
  /** Waits until the expression is true. */
  until: (expression: string, what: string) => Promise<void>
  chooseFile: (selector: string, path: string) => Promise<void>
  /** Requests that the page made, and what it wrote to its console. */
  requests: readonly string[]
  messages: readonly string[]
  close: () => Promise<void>
}

export function findBrowser(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        continue
      }
    }
  }
  return null
}

export async function startBrowser(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'mooring-browser-'))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    'about:blank',
  ]
  const child = spawn(program, flags, { stdio: 'ignore' })
  try {
    const session = await connect(await pageAddress(profile))
    return {
      ...driven(session),
      close: async () => {
        session.socket.close()
        await end(child, profile)
      },
    }
  } catch (error) {
    await end(child, profile)
    throw error
  }
}

async function end(child: ChildProcess, profile: string): Promise<void> {
  const gone = once(child, 'exit')
  if (child.exitCode === null && child.kill()) await gone
  await rm(profile, { recursive: true, force: true, maxRetries: 5 })
}

/** The browser writes its port beside its profile once it listens. */
async function pageAddress(profile: string): Promise<string> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const text = await readFile(join(profile, 'DevToolsActivePort'), 'utf8').catch(() => '')
    const [port = ''] = text.split('\n')
    if (port !== '') {
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`)
      const targets: { type: string; webSocketDebuggerUrl: string }[] = JSON.parse(
        await answer.text(),
      )
      const page = targets.find(({ type }) => type === 'page')
      if (page !== undefined) return page.webSocketDebuggerUrl
    }
    if (performance.now() > deadline) throw new Error('the browser does not listen')
    await pause(50)
  }
}

type Answer = { id?: number; method?: string; params?: unknown; result?: unknown; error?: unknown }
type Session = {
  socket: WebSocket
  call: <T>(method: string, params?: object) => Promise<T>
  on: (method: string, listener: (params: never) => void) => void
}

async function connect(url: string): Promise<Session> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const listeners = new Map<string, (params: never) => void>()
  let last = 0
  socket.addEventListener('message', ({ data }) => {
    const answer: Answer = JSON.parse(String(data))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the protocol says what it is
    if (answer.method !== undefined) listeners.get(answer.method)?.(answer.params as never)
    const waits = waiting.get(answer.id ?? 0)
    waiting.delete(answer.id ?? 0)
    if (answer.error === undefined) waits?.resolve(answer.result)
    else waits?.reject(new Error(JSON.stringify(answer.error)))
  })
  return {
    socket,
    on: (method, listener) => listeners.set(method, listener),
    call: async (method, params = {}) => {
      last += 1
      const answer = Promise.withResolvers<unknown>()
      waiting.set(last, answer)
      socket.send(JSON.stringify({ id: last, method, params }))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the protocol says what it is
      return (await answer.promise) as never
    },
  }
}

function driven({ call, on }: Session): Omit<Browser, 'close'> {
  const requests: string[] = []
  const messages: string[] = []
  on('Network.requestWillBeSent', ({ request }: { request: { url: string } }) => {
    requests.push(request.url)
  })
  on('Runtime.exceptionThrown', (thrown: object) => messages.push(JSON.stringify(thrown)))
  on('Log.entryAdded', ({ entry }: { entry: { text: string } }) => messages.push(entry.text))
  const read = async <T>(expression: string): Promise<T> => {
    const params = { expression, returnByValue: true, awaitPromise: true }
    const { result } = await call<{ result: { value: T } }>('Runtime.evaluate', params)
    return result.value
  }
  return {
    requests,
    messages,
    read,
    open: async (url) => {
      for (const domain of ['Network', 'Runtime', 'Log', 'DOM', 'Page'])
        await call(`${domain}.enable`)
      await call('Page.navigate', { url })
    },
    until: async (expression, what) => {
      const deadline = performance.now() + APPEAR_MS
      while ((await read<unknown>(expression)) !== true) {
        if (performance.now() > deadline) {
          const text = await read<string>('document.body.innerText')
          throw new Error(`not seen: ${what}\n${text}\n${messages.join('\n')}`)
        }
        await pause(100)
      }
    },
    chooseFile: async (selector, path) => {
      const { root } = await call<{ root: { nodeId: number } }>('DOM.getDocument')
      const { nodeId } = await call<{ nodeId: number }>('DOM.querySelector', {
        nodeId: root.nodeId,
        selector,
      })
      await call('DOM.setFileInputFiles', { files: [path], nodeId })
    },
  }
}

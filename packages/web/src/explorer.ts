/**
 * The explorer: what a node says of itself and of the chain, and a check of proofs that needs no node.
 *
 * One page, whose address after the # says what is shown; it is made anew when a block becomes final.
 * Where the node wants a token, it is asked for once and kept in the memory of this page only.
 */

import { ApiProblem, type Client, createClient } from '@mooring/api/client'
import { showBlock, showBlocks, showTransaction } from './chain-pages.ts'
import { element } from './element.ts'
import { showMembers } from './members-page.ts'
import { showNode } from './node-page.ts'
import type { Page, ShowPage } from './page.ts'
import { showProof } from './proof-page.ts'

const PAGES: Readonly<Record<string, ShowPage>> = {
  '': showNode,
  blocks: showBlocks,
  block: showBlock,
  transaction: showTransaction,
  members: showMembers,
  proof: showProof,
}
/** Pages that change with every block; what somebody fills in or reads slowly stays as it is. */
const LIVE = new Set(['', 'blocks', 'members'])
const REFRESH_MS = 1_000
const UNAUTHENTICATED = 401

class Explorer {
  readonly #place: HTMLElement
  readonly #sign: HTMLElement
  #client: Client = createClient(location.origin)
  #stop = new AbortController()
  #showing = 0
  #isStale = false

  constructor(place: HTMLElement, sign: HTMLElement) {
    this.#place = place
    this.#sign = sign
  }

  start(): void {
    addEventListener('hashchange', () => void this.#show())
    document.querySelector('#find')?.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#find(event.target)
    })
    setInterval(() => {
      if (this.#isStale) void this.#show()
    }, REFRESH_MS)
    void this.#show()
    void this.#follow()
  }

  async #show(): Promise<void> {
    this.#isStale = false
    this.#showing += 1
    const turn = this.#showing
    const { name, argument } = here()
    markCurrent(name)
    const show = PAGES[name]
    const page = show === undefined ? unknown() : await this.#made(show, argument)
    if (turn !== this.#showing) return
    document.title = `${page.title} · Mooring`
    this.#place.replaceChildren(...page.body)
  }

  async #made(show: ShowPage, argument: string): Promise<Page> {
    try {
      return await show(this.#client, argument)
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error
      return error.status === UNAUTHENTICATED ? this.#askToken() : problem(error)
    }
  }

  #askToken(): Page {
    const input = element('input', {
      type: 'password',
      id: 'token',
      maxlength: '200',
      autocomplete: 'off',
    })
    const form = element(
      'form',
      {},
      element('label', { for: 'token' }, 'A token with the role viewer or more'),
      input,
      element('p', {}, element('button', {}, 'Go on')),
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (!(input instanceof HTMLInputElement)) return
      const headers = { authorization: `Bearer ${input.value.trim()}` }
      this.#client = createClient(location.origin, { headers })
      this.#stop.abort()
      this.#stop = new AbortController()
      void this.#show()
      void this.#follow()
    })
    return { title: 'Token', body: [element('h1', {}, 'This node answers with a token'), form] }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop
    try {
      const events = this.#client.follow({ types: ['block', 'peer', 'alarm'], signal })
      this.#tell('live', true)
      for await (const { type } of events) {
        this.#tell(type === 'bye' ? 'the node stops' : 'live', type !== 'bye')
        if (LIVE.has(here().name) && here().argument === '') this.#isStale = true
      }
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error
      this.#tell('not live', false)
    }
  }

  #tell(text: string, isGood: boolean): void {
    this.#sign.textContent = text
    this.#sign.className = isGood ? 'good' : 'quiet'
  }

  /** A height, the digest of a block, or the id of a transaction: the node is asked which. */
  async #find(form: EventTarget | null): Promise<void> {
    if (!(form instanceof HTMLFormElement)) return
    const value = new FormData(form).get('what')
    const what = (typeof value === 'string' ? value : '').trim().toLowerCase()
    if (what === '') return
    if (/^\d{1,15}$/.test(what)) {
      location.hash = `#/block/${what}`
      return
    }
    const isTransaction = await this.#client.transaction(what).then(
      () => true,
      () => false,
    )
    location.hash = `#/${isTransaction ? 'transaction' : 'block'}/${encodeURIComponent(what)}`
  }
}

function here(): { name: string; argument: string } {
  const [name = '', argument = ''] = location.hash.replace(/^#\/?/, '').split('/', 2)
  return { name, argument: decodeURIComponent(argument) }
}

function markCurrent(name: string): void {
  for (const each of document.querySelectorAll('nav a')) {
    if (each.getAttribute('href') === `#/${name}`) each.setAttribute('aria-current', 'page')
    else each.removeAttribute('aria-current')
  }
}

function unknown(): Page {
  const text = 'There is no such page.'
  return { title: text, body: [element('p', { class: 'problem' }, text)] }
}

function problem({ title, detail, mor }: ApiProblem): Page {
  const more = mor === undefined ? '' : ` More: mooring explain ${mor}`
  return {
    title,
    body: [element('p', { class: 'problem' }, element('b', {}, title), ` ${detail}${more}`)],
  }
}

const place = document.querySelector('#page')
const sign = document.querySelector('#live')
if (place instanceof HTMLElement && sign instanceof HTMLElement) new Explorer(place, sign).start()

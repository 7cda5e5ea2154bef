/**
 * Elements of a page. Text is always text: nothing that a node answers is read as HTML.
 */

export type Child = Node | string

export function element(
  tag: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export const link = (href: string, text: string): HTMLElement => element('a', { href }, text)

export const code = (text: string): HTMLElement => element('code', {}, text)

export function fields(rows: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  const parts = rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])
  return element('dl', {}, ...parts)
}

export interface Column<T> {
  title: string
  value: (row: T) => Child
  isNumber?: boolean
}

export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): HTMLElement {
  const titles = columns.map(({ title }) => element('th', { scope: 'col' }, title))
  const lines = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map(({ value, isNumber = false }) =>
        element('td', isNumber ? { class: 'number' } : {}, value(row)),
      ),
    ),
  )
  const head = element('thead', {}, element('tr', {}, ...titles))
  return element(
    'div',
    { class: 'table' },
    element('table', {}, head, element('tbody', {}, ...lines)),
  )
}

export function card(title: string, value: string, remark: Child = ''): HTMLElement {
  return element(
    'div',
    { class: 'card' },
    element('span', { class: 'quiet' }, title),
    element('b', {}, value),
    remark,
  )
}

export function button(text: string, onClick: () => void): HTMLElement {
  const made = element('button', { type: 'button' }, text)
  made.addEventListener('click', onClick)
  return made
}

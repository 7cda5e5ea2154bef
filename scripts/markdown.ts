// The few forms of Markdown that generated pages consist of.

export const GENERATED = '<!-- Made by `npm run reference` from the code; edit that instead. -->'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim()

const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`

export function markdownTable(titles: readonly string[], rows: readonly string[][]): string {
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

export const code = (text: string) => `\`${text}\``

// "<name>" would be taken for a tag.
export const plain = (text: string) => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export const block = (lines: readonly string[]) => ['```text', ...lines, '```'].join('\n')

// The paragraphs of a page, an empty line between them.
export const paragraphs = (...parts: readonly (string | undefined)[]) =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n')

/*
 * The parts of a document that a reader is meant to type and that must work: fenced blocks whose info
 * string is `sh test`. Other blocks, also those that only show such a fence, are left alone.
 */
export type DocBlock = { line: number; commands: string }

type Fence = { line: number; indent: string; marks: string; info: string; lines: string[] }

function isMarked(info: string, mark: string): boolean {
  const [language, ...flags] = info.split(/\s+/)
  return language === 'sh' && flags.includes(mark)
}

/** Those for a network of this computer, or, marked `container`, for one of an engine. */
export function testBlocks(markdown: string, mark: 'test' | 'container' = 'test'): DocBlock[] {
  const blocks: DocBlock[] = []
  let open: Fence | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    const [, indent = '', marks = '', info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(text) ?? []
    if (open === undefined) {
      if (marks !== '') open = { line: index + 1, indent, marks, info: info.trim(), lines: [] }
    } else if (marks.startsWith(open.marks) && info.trim() === '') {
      if (isMarked(open.info, mark))
        blocks.push({ line: open.line, commands: open.lines.join('\n') })
      open = undefined
    } else {
      open.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text)
    }
  }
  if (open !== undefined) throw new SyntaxError(`the block in line ${open.line} is not closed`)
  return blocks
}

export type ShellBlock = { flags: string; lines: string[] }

/** Everything a reader may type, whether or not it is marked; without remarks and empty lines. */
export function shellBlocks(markdown: string): ShellBlock[] {
  return [...markdown.matchAll(/^ *```sh([^\n]*)\n([^]*?)^ *```$/gm)].map(
    ([, flags = '', body = '']) => {
      const lines = body.split('\n').map((line) => line.replace(/(^| +)#( .*|)$/, '').trim())
      return { flags: flags.trim(), lines: lines.filter((line) => line !== '') }
    },
  )
}

// Nothing hangs silently: a command that has written nothing for a while says what it waits for, once.

import type { Context, Sink } from './context.ts'

function told(sink: Sink, hear: () => void): Sink {
  return {
    isTTY: sink.isTTY === true,
    ...(sink.columns !== undefined && { columns: sink.columns }),
    ...(sink.once !== undefined && { once: sink.once.bind(sink) }),
    write: (chunk) => {
      hear()
      return sink.write(chunk)
    },
  }
}

/** The context to run with, and what ends the watch. */
export function withPatience(
  context: Context,
  what: string,
): { context: Context; end: () => void } {
  const { patienceMs, stderr } = context
  if (patienceMs === undefined) return { context, end: () => undefined }
  let waitsFor = what
  const timer = setTimeout(() => stderr.write(`waiting for ${waitsFor} …\n`), patienceMs)
  const end = () => clearTimeout(timer)
  return {
    context: {
      ...context,
      stdout: told(context.stdout, end),
      stderr: told(stderr, end),
      waitsFor: (name) => {
        waitsFor = name
      },
    },
    end,
  }
}

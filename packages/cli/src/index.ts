export type { Context, Sink } from './context.ts'
export { runCli } from './run.ts'
export type { RunningNode, StartNode } from './start-node.ts'

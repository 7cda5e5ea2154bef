/**
 * HTTP of Node without the rest of the web: an import of `node:http` reads every name that it exports,
 * WebSocket among them, for which Node loads its fetch. That takes 40 ms and a few MiB, in every command.
 */

export const { createServer, request: requestHttp } = process.getBuiltinModule('node:http')

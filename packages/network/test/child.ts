// A member in a process of its own: started by a test, killed by it or closing by itself.

import { identitiesOn, startNode } from './world.ts'

const [index, task, ...ports] = process.argv.slice(2)
const members = identitiesOn(ports.map(Number))
const own = members[Number(index)]
if (own === undefined) throw new Error('no such member')

const node = await startNode(own, {
  members,
  handlers: {
    onPeer(_peerId, event) {
      if (event === 'connected' && task === 'close') void node.network.close()
    },
  },
})

import { hash } from 'node:crypto'

/** Leaves and nodes are hashed apart, so that no node passes for a leaf: RFC 6962, section 2.1. */
const prefix = { leaf: Buffer.of(0), node: Buffer.of(1) } as const

const sha256 = (...parts: readonly Buffer[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')

/** The hash of what a leaf holds. */
export const leafHash = (content: Buffer): Buffer => sha256(prefix.leaf, content)

const nodeHash = (left: Buffer, right: Buffer): Buffer => sha256(prefix.node, left, right)

/** The Merkle tree hash of RFC 6962 over the hashes of its leaves, in their order. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  let level = leaves
  while (level.length > 1) level = levelAbove(level)
  const [root] = level
  if (!root) throw new Error('a level of a tree is never empty')
  return root
}

/** A node without a sibling goes up as it is, which is what the split at the largest power of two comes to. */
function levelAbove(level: readonly Buffer[]): Buffer[] {
  const above: Buffer[] = []
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]]
    if (left) above.push(right ? nodeHash(left, right) : left)
  }
  return above
}

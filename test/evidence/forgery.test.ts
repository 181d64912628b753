import { parseVerificationKeys, type StreamId, VerificationKey } from '@breakpilot/tenant-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anEvidence, aSigningKey, type Evidence, forge, linesOf } from './evidence.ts'

let evidence: Evidence
let stream: StreamId
// Nine rows: checkpoints at 4 and 8, and one that came after.
beforeEach(async () => {
  evidence = await anEvidence()
  stream = await evidence.append(4)
  await evidence.checkpoint()
  await evidence.append(4)
  await evidence.checkpoint()
  await evidence.append(1)
})
afterEach(async () => await evidence.close())

const summaryOf = async (options: Parameters<Evidence['findings']>[0] = {}) =>
  (await evidence.findings(options)).map(({ code, stream_seq, checkpoint }) => [code, stream_seq, checkpoint])

describe('a chain that was made anew by somebody who can write the database', () => {
  it('is not the one that a checkpoint was taken of, which tells between which rows it begins', async () => {
    await forge(evidence, stream, 6, 'nothing.happened')
    expect(await summaryOf()).toEqual([['rows_rewritten', 5, 2]])
  })

  it('is found at its first checkpoint when it is older', async () => {
    await forge(evidence, stream, 2, 'nothing.happened')
    expect(await summaryOf()).toEqual([['rows_rewritten', 1, 1]])
  })

  it('fits together behind the last checkpoint', async () => {
    await forge(evidence, stream, 9, 'nothing.happened')
    expect(await summaryOf()).toEqual([])
  })

  it('does not fit when it ends before the last row', async () => {
    await evidence.tamper(
      `update audit_log set action = 'other', chain_hash = sha256('') where stream_id = $1 and stream_seq = 6`,
      [stream],
    )
    expect(await summaryOf()).toEqual([['row_edited', 6, null]])
  })
})

describe('checkpoints that were changed with it', () => {
  /** Puts what the forged chain has come to in the place of what the checkpoint was taken of. */
  const forgeHeads = async () =>
    await evidence.tamper(`
      update registry.audit_checkpoint_heads head set chain_hash = row.chain_hash
      from audit_log row where row.stream_id = head.stream_id and row.stream_seq = head.stream_seq`)

  it('have other heads than their root is made of', async () => {
    await forge(evidence, stream, 6, 'nothing.happened')
    await forgeHeads()
    expect(await summaryOf()).toEqual([['checkpoint_heads_changed', null, 2]])
  })

  it('and signed anew with another key, are signed by nobody who is trusted', async () => {
    await forge(evidence, stream, 6, 'nothing.happened')
    await evidence.tamper('delete from registry.audit_checkpoints_unpublished')
    await evidence.tamper('delete from registry.audit_checkpoint_heads where number = 2')
    await evidence.tamper('delete from registry.audit_checkpoints where number = 2')
    await evidence.tamper('update registry.audit_checkpointed set stream_seq = 4')
    await evidence.checkpoint(aSigningKey())
    const told = evidence.lines.slice(0, 4)
    expect(await summaryOf()).toEqual([['checkpoint_key_unknown', null, 2]])
    // Whoever trusts what the database names believes it, unless what the server told of is at hand.
    expect(await summaryOf({ keys: undefined })).toEqual([])
    expect(await summaryOf({ keys: undefined, checkpoints: linesOf(told) })).toEqual([
      ['checkpoint_replaced', null, 2],
      ['rows_rewritten', 5, 2],
    ])
  })

  it('and taken anew by the server itself, differ from what it told of before', async () => {
    const cutTo = async (seq: number) => {
      await evidence.tamper('delete from audit_log where stream_id = $1 and stream_seq > $2', [stream, seq])
      await evidence.tamper(
        `update registry.audit_streams set (last_seq, last_hash) =
          (select stream_seq, chain_hash from audit_log where stream_id = $1 and stream_seq = $2) where stream_id = $1`,
        [stream, seq],
      )
    }
    await cutTo(6)
    await evidence.tamper('delete from registry.audit_checkpoint_heads where number = 2')
    await evidence.tamper('delete from registry.audit_checkpoints where number = 2')
    await evidence.tamper('update registry.audit_checkpointed set stream_seq = 4')
    await evidence.checkpoint()
    expect(await summaryOf()).toEqual([])
    // Also where it was told twice.
    const told = { checkpoints: linesOf([...evidence.lines.slice(0, 4), ...evidence.lines]) }
    expect(await summaryOf(told)).toEqual([
      ['checkpoint_replaced', null, 2],
      ['tail_removed', 7, 2],
    ])
    await evidence.append(4)
    await evidence.checkpoint()
    expect(await summaryOf(told)).toEqual([
      ['checkpoint_replaced', null, 2],
      ['rows_rewritten', 7, 2],
    ])
  })

  it('of which one is missing, are no longer one behind the other', async () => {
    await evidence.tamper('delete from registry.audit_checkpoint_heads where number = 1')
    await evidence.tamper('delete from registry.audit_checkpoints where number = 1')
    expect(await summaryOf()).toEqual([['checkpoint_removed', null, 1]])
    await evidence.tamper(
      'alter table registry.audit_checkpoint_heads drop constraint audit_checkpoint_heads_number_fkey',
    )
    await evidence.tamper('update registry.audit_checkpoints set number = 1')
    expect(await summaryOf()).toContainEqual(['checkpoint_replaced', null, 0])
  })

  it.each([
    ['root', `sha256('')`],
    ['previous_root', `sha256('')`],
    ['taken_at', `taken_at - interval '1 day'`],
    ['head_count', '2'],
    ['signature', `decode(repeat('00', 64), 'hex')`],
  ])('say something else than was signed: %s', async (column, value) => {
    await evidence.tamper(`update registry.audit_checkpoints set ${column} = ${value} where number = 1`)
    expect(await summaryOf()).toContainEqual(['checkpoint_invalid', null, 1])
  })

  it('are worth nothing to who takes the word of the key for them', async () => {
    const key = aSigningKey()
    await evidence.tamper('update registry.audit_signing_keys set public_key = $1', [key.publicKey.pem])
    expect(await summaryOf({ keys: undefined })).toEqual([
      ['checkpoint_key_unknown', null, 1],
      ['checkpoint_key_unknown', null, 2],
    ])
  })
})

describe('lines of the log', () => {
  it('that are about something else, or cut off, are passed over', async () => {
    const lines = ['', 'no JSON audit.checkpoint', '{"event":"audit.checkpoint"', '{"msg":"audit.checkpoint"}']
    expect(await summaryOf({ checkpoints: linesOf([...lines, ...evidence.lines]) })).toEqual([])
  })

  it('that somebody made up are signed by nobody', async () => {
    const [line = ''] = evidence.lines
    const forged = { ...(JSON.parse(line) as object), root: 'a'.repeat(64) }
    expect(await summaryOf({ checkpoints: linesOf([JSON.stringify(forged)]) })).toEqual([
      ['checkpoint_invalid', null, 1],
    ])
  })

  it('without the heads of a checkpoint that is gone tell that it is, and no more', async () => {
    const [, , line = ''] = evidence.lines
    await evidence.tamper('delete from registry.audit_checkpoint_heads where number = 2')
    await evidence.tamper('delete from registry.audit_checkpoints where number = 2')
    expect(await summaryOf({ checkpoints: linesOf([line]) })).toEqual([
      ['checkpoint_removed', 8, null],
      ['checkpoint_removed', null, 2],
      ['checkpoint_heads_changed', null, 2],
    ])
  })
})

describe('the keys of checkpoints', () => {
  it('may change: what was signed with the old one still verifies', async () => {
    const next = aSigningKey()
    await evidence.checkpoint(next)
    await evidence.append(2)
    // Replicas change one after the other.
    await evidence.checkpoint()
    await evidence.append(2)
    await evidence.checkpoint(next)
    const text = `${evidence.key.publicKey.pem}\n${next.publicKey.pem}`
    const both = parseVerificationKeys(text)
    expect(both.map(({ id }) => id)).toEqual([evidence.key.publicKey.id, next.publicKey.id])
    expect(await summaryOf({ keys: both, checkpoints: linesOf(evidence.lines) })).toEqual([])
    expect(await summaryOf({ keys: undefined })).toEqual([])
    expect(await summaryOf()).toEqual([
      ['checkpoint_key_unknown', null, 3],
      ['checkpoint_key_unknown', null, 5],
    ])
    expect(both[0]).toBeInstanceOf(VerificationKey)
  })
})

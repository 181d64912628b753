import { uuidv7 } from 'uuidv7'
import type { Db } from '../../db/handles.ts'
import { housekeeping } from '../../db/housekeeping.ts'
import type { Actor } from '../actor.ts'
import { audited, changed, unchanged } from '../audited.ts'
import { tenantOfGroup } from './group-state.ts'
import type { GroupScope } from './scope.ts'
import * as support from './support-viewer.repository.ts'
import type { SupportViewer } from './support-viewer.repository.ts'
import { digestOf, newViewerToken } from './viewer-token.ts'
import * as viewers from './viewer.repository.ts'
import type { Viewer } from './viewer.repository.ts'

export type { Viewer } from './viewer.repository.ts'

/** What it takes to let somebody look. */
export interface NewViewer extends Pick<Viewer, 'scope' | 'actor_id' | 'is_admin' | 'view_log_action'> {
  /** How long. */
  readonly ttlSeconds: number
}

/**
 * Lets somebody look into the log of a group for a while. That it was allowed is not recorded: that it is done is, each
 * time.
 * @returns the token: 32 hexadecimal digits
 */
export async function issueViewerToken(db: Db, viewer: NewViewer): Promise<string> {
  const { token, digest } = newViewerToken()
  await housekeeping(db, async (tx) => {
    await viewers.insertViewer(tx, { ...viewer, id: uuidv7(), token_digest: digest })
  })
  return token
}

/** Who looks into the log of a group of a product, or, of the platform's people, into the whole log of a tenant. */
export type AnyViewer = Viewer | SupportViewer

/** Whether it is one of the platform's people. */
export const isSupportViewer = (viewer: AnyViewer): viewer is SupportViewer => 'issuer' in viewer

/** Who a token lets look, unless that is over. */
export async function findViewerByToken(db: Db, token: string): Promise<AnyViewer | undefined> {
  const digest = digestOf(token)
  return (await viewers.findViewerByToken(db, digest)) ?? (await support.findSupportViewerByToken(db, digest))
}

/** Who may look under this id, unless that is over. */
export async function findViewer(db: Db, id: string): Promise<AnyViewer | undefined> {
  return (await viewers.findViewer(db, id)) ?? (await support.findSupportViewer(db, id))
}

/** Ends whatever somebody may still look at in a group. Answers how many tokens it were. */
export async function endViewers(db: Db, actor: Actor, scope: GroupScope, viewerActorId: string): Promise<number> {
  return await audited(db, actor, async (tx) => {
    const ended = await viewers.deleteViewers(tx, scope, viewerActorId)
    if (ended === 0) return unchanged(ended)
    return changed(ended, {
      action: 'audit_viewer.ended',
      crud: 'd',
      tenant: await tenantOfGroup(tx, scope.group),
      target: { id: viewerActorId, type: 'audit_viewer' },
      before: { product: scope.product, environment: scope.environment, group_id: scope.group.id },
    })
  })
}

const rowsAtOnce = 1_000

/** Deletes what is over, and answers how much it was. To be done every few minutes. */
export async function cleanViewers(db: Db): Promise<number> {
  let sum = 0
  for (const from of ['registry.audit_viewers', 'registry.audit_support_viewers'] as const) {
    let gone: number
    do {
      gone = await housekeeping(db, async (tx) => await viewers.deleteOldViewers(tx, from, rowsAtOnce))
      sum += gone
    } while (gone === rowsAtOnce)
  }
  return sum
}

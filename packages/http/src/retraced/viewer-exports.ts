import {
  type AnyViewer,
  bareId,
  exportedEvents,
  getExport,
  getSupportExport,
  idOfBare,
  isSupportViewer,
  listExports,
  listSupportExports,
  recordSupportExport,
  safeParse,
  type SavedExport,
  SavedSearch,
  saveExport,
  saveSupportExport,
} from '@breakpilot/tenant-core'
import { csvOf, fileNameOf } from './csv.ts'
import { recordLook } from './looked.ts'
import { memberOf, nameOf } from './terms.ts'
import { authorOf, lookerOf, viewerOf } from './viewer-caller.ts'
import { idsOf } from './viewer-ids.ts'
import { WireError } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

const shownExport = ({ id, name, body }: Omit<SavedExport, 'saved_at'>, viewer: AnyViewer) => ({
  id: bareId(id),
  name,
  body,
  ...idsOf(viewer),
})

async function createExport(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const sent = await call.body()
  const fields = { name: nameOf('name', memberOf(sent, 'name')), body: searchOf(memberOf(sent, 'exportBody')) }
  const { db } = call.services
  const author = authorOf(call, viewer)
  const saved = isSupportViewer(viewer)
    ? await saveSupportExport(db, author, viewer, fields)
    : await saveExport(db, author, viewer.scope, fields, viewer.actor_id)
  return { status: 201, json: shownExport(saved, viewer) }
}

/** Older viewers send the body as a text of JSON; whatever other text is sent is what is searched for. */
function searchOf(sent: unknown): SavedSearch {
  const parsed = safeParse(SavedSearch, typeof sent === 'string' ? (objectIn(sent) ?? { searchQuery: sent }) : sent)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = ['exportBody', ...(issue?.path ?? [])].join('.')
  throw new WireError(400, `'${path}' is not valid: ${issue?.message ?? ''}`)
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

async function exportsOf(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const limit = call.query.get('limit') || '1000'
  if (!/^[1-9]\d{0,3}$/.test(limit)) throw new WireError(400, "'limit' must be a whole number from 1 to 9999")
  const { db } = call.services
  const found = isSupportViewer(viewer)
    ? await listSupportExports(db, viewer, Number(limit))
    : await listExports(db, viewer.scope, Number(limit))
  return {
    status: 200,
    json: found.map((each) => ({ ...shownExport(each, viewer), saved_at: each.saved_at.toISOString() })),
  }
}

async function renderExport(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call, { byLink: true })
  const format = call.query.get('format') || 'csv'
  if (format !== 'csv') throw new WireError(400, "'format' must be csv: that is all there is")
  const id = idOfBare(call.params['id'] ?? '')
  const found = id === undefined ? undefined : await savedBy(call, viewer, id)
  if (!found) throw new WireError(404, 'There is no such export')
  return {
    status: 200,
    stream: {
      mediaType: 'text/csv; charset=utf-8',
      fileName: `${fileNameOf(found.name)}.csv`,
      chunks: csvOf(takenAway(call, viewer, found), { ofAll: isSupportViewer(viewer) }),
    },
  }
}

/** What a file has in it. That it is taken away is recorded when the first of it was found, before any of it is sent. */
async function* takenAway(call: WireCall, viewer: AnyViewer, found: SavedExport) {
  let isRecorded = false
  for await (const rows of exportedEvents(call.services.db, viewer.scope, found.body)) {
    if (!isRecorded) await recordFile(call, viewer, found)
    isRecorded = true
    yield rows
  }
  if (!isRecorded) await recordFile(call, viewer, found)
}

async function savedBy({ services: { db } }: WireCall, viewer: AnyViewer, id: string): Promise<SavedExport> {
  return isSupportViewer(viewer) ? await getSupportExport(db, viewer, id) : await getExport(db, viewer.scope, id)
}

/** Records that a file was taken away. Of the platform's people, by the registry. */
async function recordFile(call: WireCall, viewer: AnyViewer, found: SavedExport): Promise<void> {
  if (isSupportViewer(viewer)) {
    await recordSupportExport(call.services.db, authorOf(call, viewer), viewer, found)
    return
  }
  await recordLook(call, lookerOf(viewer), {
    action: viewer.view_log_action,
    crud: 'r',
    description: 'Exported the audit log',
    target: { id: bareId(found.id), name: found.name, type: 'audit_export' },
  })
}

const project = '/viewer/v1/project/:project'

/** What a viewer asks to have the log as a file. */
export const exportRoutes: readonly WireRoute[] = [
  { method: 'post', path: `${project}/export`, answer: createExport },
  { method: 'get', path: `${project}/exports`, answer: exportsOf },
  { method: 'get', path: `${project}/export/:id/rendered`, answer: renderExport },
]

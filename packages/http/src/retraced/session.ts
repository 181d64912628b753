import { type AnyViewer, bareId, idOfBare, isSupportViewer, type Keyring, type Viewer } from '@breakpilot/tenant-core'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { idsOf } from './viewer-ids.ts'
import { unauthorized } from './wire-error.ts'

/**
 * A session proves that somebody has a viewer token, and nothing more: what it says of itself is compared with what is
 * known of that token, on every request. It is signed with a key that is used for nothing else, so nothing that was
 * signed for another purpose passes for one, and it passes for nothing else.
 */
const algorithm = 'HS256'
const type = 'viewer-session+jwt'

/** What a session says of a viewer, in the words of Retraced's. */
function claimsOf(viewer: AnyViewer) {
  const { project_id, environment_id, group_id } = idsOf(viewer)
  return {
    id: bareId(viewer.id),
    projectId: project_id,
    environmentId: environment_id,
    groupId: group_id,
    created: viewer.created_at.toISOString(),
    ...(isSupportViewer(viewer) ? { actorId: viewer.issuer.id, scope: '' } : claimsOfGroup(viewer)),
  }
}

const claimsOfGroup = ({ scope: { target_id }, actor_id, view_log_action }: Viewer) => ({
  viewLogAction: view_log_action,
  ...(actor_id !== null && { actorId: actor_id }),
  scope: target_id === undefined ? '' : `target_id=${encodeURIComponent(target_id)}`,
})

/** Makes a session for as long as the viewer may look. */
export async function signSession(keyring: Keyring, viewer: AnyViewer, ip: string | undefined): Promise<string> {
  return await new SignJWT({ ...claimsOf(viewer), ...(ip !== undefined && { ip }) })
    .setProtectedHeader({ alg: algorithm, typ: type, kid: keyring.current })
    .setIssuedAt()
    .setExpirationTime(viewer.expires_at)
    .sign(keyring.key('viewer-session'))
}

/**
 * Says who a session lets look.
 * @param find what is known of a viewer now, by its id as a UUID
 * @throws {WireError} 401 for whatever is not a session that is good now
 */
export async function openSession(
  keyring: Keyring,
  session: string,
  find: (id: string) => Promise<AnyViewer | undefined>,
): Promise<AnyViewer> {
  const claims = await claimsIn(keyring, session)
  const said = claims?.['id']
  const id = typeof said === 'string' ? idOfBare(said) : undefined
  const viewer = id === undefined ? undefined : await find(id)
  if (!claims || !viewer || !agrees(claims, viewer)) throw unauthorized('The session is over, or not valid')
  return viewer
}

async function claimsIn(keyring: Keyring, session: string): Promise<JWTPayload | undefined> {
  try {
    const { kid = keyring.current } = decodeProtectedHeader(session)
    if (!keyring.kids.includes(kid)) return undefined
    const key = keyring.key('viewer-session', kid)
    return (await jwtVerify(session, key, { algorithms: [algorithm], typ: type })).payload
  } catch (error) {
    // What is no token at all is a TypeError.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Whether nothing that a session says is otherwise. What it does not say it does not say otherwise. */
function agrees(claims: JWTPayload, viewer: AnyViewer): boolean {
  const known: Record<string, unknown> = { actorId: undefined, ...claimsOf(viewer) }
  return Object.entries(known).every(([name, value]) => claims[name] === undefined || claims[name] === value)
}

import { ChangePage, ChangeQuery, followChanges } from '@breakpilot/tenant-core'
import { route } from '../route.ts'

export const changeRoutes = [
  route({
    method: 'get',
    path: '/v1/changes',
    operation: 'listChanges',
    tag: 'changes',
    summary: 'Follow what changes',
    description:
      'Answers what changed after a place in the feed, in the order of the commits and without gaps: that something changed, not what it is now. With `wait` it answers as soon as there is something, or when that time is over. A product hears of the tenants that have it, and that it was taken away from one. Changes are kept for seven days: `changes.expired` says that some were missed, and that what is kept of the registry has to be loaded anew.',
    scope: 'changes:read',
    query: ChangeQuery,
    status: 200,
    response: ChangePage,
    errors: ['changes.expired', 'changes.too_many_waiters'],
    handle: ({ db, changes, sight, query, signal }) => followChanges(db, changes, sight, query, signal),
  }),
]

import { type AnyViewer, isSupportViewer } from '@breakpilot/tenant-core'

/** What stands for all products and for both environments, where Retraced names one: nothing can have these names. */
const all = { product: 'all_products', environment: 'all_environments' }

/** The names under which answers, sessions and paths say what somebody sees. */
export function idsOf(viewer: AnyViewer) {
  if (isSupportViewer(viewer)) {
    const { stream_id, product = all.product, environment = all.environment } = viewer.scope
    return { project_id: product, environment_id: environment, group_id: stream_id as string }
  }
  const { product, environment, group } = viewer.scope
  return { project_id: product, environment_id: environment as string, group_id: group.id }
}

import type { Route } from '../route.ts'
import { apiKeyRoutes } from './api-key.routes.ts'
import { auditOutletRoutes } from './audit-outlet.routes.ts'
import { auditViewerRoutes } from './audit-viewer.routes.ts'
import { auditRoutes } from './audit.routes.ts'
import { changeRoutes } from './change.routes.ts'
import { entitlementRoutes } from './entitlement.routes.ts'
import { evidenceRoutes } from './evidence.routes.ts'
import { lifecycleRoutes } from './lifecycle.routes.ts'
import { meRoutes } from './me.routes.ts'
import { productRoutes } from './product.routes.ts'
import { projectRoutes } from './project.routes.ts'
import { serviceRoutes } from './service.routes.ts'
import { tenantRoutes } from './tenant.routes.ts'
import { transferRoutes } from './transfer.routes.ts'
import { verificationRoutes } from './verification.routes.ts'

/**
 * Every operation there is. The router, the OpenAPI document, the client and the test matrices come from this array. The
 * router tries one path after the other: what products ask all the time comes first.
 */
export const routes: readonly Route[] = [
  ...verificationRoutes,
  ...serviceRoutes,
  ...entitlementRoutes,
  ...tenantRoutes,
  ...lifecycleRoutes,
  ...transferRoutes,
  ...projectRoutes,
  ...productRoutes,
  ...apiKeyRoutes,
  ...changeRoutes,
  ...auditRoutes,
  ...evidenceRoutes,
  ...auditOutletRoutes,
  ...auditViewerRoutes,
  ...meRoutes,
]

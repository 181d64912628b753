import RetracedEventsBrowser from '@retracedhq/logs-viewer'
import { type ReactElement, useCallback, useEffect, useState } from 'react'
import { findTenant, issueViewerToken, listProducts, type Look, type Staff, type Tenant } from './registry.ts'
import { StartForms, type Wish } from './start-forms.tsx'
import { TenantBar } from './tenant-bar.tsx'
import { assertOpens, takeViewerToken, viewerApi } from './viewer-token.ts'

/** What somebody of the platform looks at: they can have another token made, and look at something else. */
interface Tour {
  readonly staff: Staff
  readonly tenant: Tenant
  readonly products: readonly string[]
  readonly look: Look
}

/** What is on the screen. */
interface View {
  readonly token: string
  readonly tour?: Tour
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const columns = [
  { label: 'Description', type: 'markdown', field: 'display.markdown' },
  { label: 'Action', field: 'action' },
  { label: 'Actor', field: 'actor' },
  {
    label: 'Location',
    getValue: ({ country, source_ip }: { country: string | null; source_ip: string | null }) => country ?? source_ip,
  },
  { label: 'Date', field: 'canonical_time' },
] as const

const shown = { fields: true, metadata: true }

/** The whole page: the viewer where there is a token, else what leads to one. */
export function Page(): ReactElement {
  const [view, setView] = useState<View>()
  const [problem, setProblem] = useState('')
  const [isBusy, setIsBusy] = useState(false)

  const attempt = useCallback((work: () => Promise<View>) => {
    setIsBusy(true)
    setProblem('')
    work()
      .then(setView, (error: unknown) => {
        setView(undefined)
        setProblem(messageOf(error))
      })
      .finally(() => setIsBusy(false))
  }, [])

  useEffect(() => {
    const take = () => {
      if (location.hash === '') return
      const token = takeViewerToken(location, history)
      if (token === undefined) {
        setView(undefined)
        setProblem('There is no viewer token in this link.')
      } else attempt(() => brought(token))
    }
    take()
    // Another link in the same tab changes the address, and loads nothing.
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [attempt])

  const start = (wish: Wish) => attempt(() => (wish.kind === 'token' ? brought(wish.token) : toured(wish)))

  const refresh = () => {
    const tour = view?.tour
    if (tour) attempt(() => lookAt(tour))
    else {
      setView(undefined)
      setProblem('The session is over. Follow a new link, or paste a new viewer token.')
    }
  }

  if (!view) return <StartForms problem={problem} isBusy={isBusy} onStart={start} />
  const { token, tour } = view
  return (
    <>
      {tour && (
        <TenantBar
          tenant={tour.tenant}
          products={tour.products}
          look={tour.look}
          isBusy={isBusy}
          onLook={(look) => attempt(() => lookAt({ ...tour, look }))}
          onLeave={() => setView(undefined)}
        />
      )}
      <RetracedEventsBrowser
        // Something else to look at begins anew; a new token for the same goes on where it was.
        key={tour ? JSON.stringify(tour.look) : 'brought'}
        host={viewerApi}
        auditLogToken={token}
        header="Audit log"
        fields={[...columns]}
        toggleDisplay={shown}
        refreshToken={refresh}
      />
    </>
  )
}

async function brought(token: string): Promise<View> {
  await assertOpens(token)
  return { token }
}

async function toured({ staff, tenant: ref, environment }: Extract<Wish, { kind: 'tenant' }>): Promise<View> {
  const [tenant, products] = await Promise.all([findTenant(staff, ref), listProducts(staff)])
  return await lookAt({ staff, tenant, products, look: { tenant_id: tenant.id, product: undefined, environment } })
}

async function lookAt(tour: Tour): Promise<View> {
  return { token: await issueViewerToken(tour.staff, tour.look), tour }
}

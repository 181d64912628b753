import type { ReactElement } from 'react'
import type { Look, Tenant } from './registry.ts'

/** The registry's own events stand under this product. */
const ownProduct = 'tenant-registry'

interface Props {
  readonly tenant: Tenant
  readonly products: readonly string[]
  readonly look: Look
  readonly isBusy: boolean
  readonly onLook: (look: Look) => void
  readonly onLeave: () => void
}

/** Whose log it is, and which part of it is shown. */
export function TenantBar({ tenant, products, look, isBusy, onLook, onLeave }: Props): ReactElement {
  return (
    <header className="TenantBar">
      <strong>{tenant.name}</strong>
      <label>
        Product
        <select
          value={look.product ?? ''}
          disabled={isBusy}
          onChange={({ target }) => onLook({ ...look, product: target.value || undefined })}
        >
          <option value="">all</option>
          {[...products, ownProduct].map((key) => (
            <option key={key}>{key}</option>
          ))}
        </select>
      </label>
      <label>
        Environment
        <select
          value={look.environment}
          disabled={isBusy}
          onChange={({ target }) => onLook({ ...look, environment: target.value === 'test' ? 'test' : 'live' })}
        >
          <option>live</option>
          <option>test</option>
        </select>
      </label>
      <button type="button" onClick={onLeave}>
        Another tenant
      </button>
    </header>
  )
}

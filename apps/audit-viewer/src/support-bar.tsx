import { type ReactElement, useEffect, useState } from 'react'
import type { Asked, Registry } from './registry.ts'

interface Props {
  readonly registry: Registry
  readonly asked: Asked
  readonly isBusy: boolean
  readonly onChange: (asked: Asked) => void
  readonly onClose: () => void
}

/** The registry itself records too, and is in no catalogue. */
const own = { key: 'tenant-registry', name: 'The registry itself' }

/** Whose log is shown, and how much of it. */
export function SupportBar({ registry, asked, isBusy, onChange, onClose }: Props): ReactElement {
  const [products, setProducts] = useState([own])
  useEffect(() => {
    // Without them there is all that is asked for still, and only less to choose from.
    registry.listProducts().then(
      (listed) => setProducts([...listed, own]),
      () => undefined,
    )
  }, [registry])

  const { tenant, product, environment } = asked
  const isListed = product === '' || products.some(({ key }) => key === product)
  return (
    <header className="SupportBar">
      <p>
        <strong>{tenant.name}</strong> {tenant.slug ?? '(gone)'}
      </p>
      <label>
        Product
        <select
          value={product}
          disabled={isBusy}
          onChange={({ target }) => onChange({ ...asked, product: target.value })}
        >
          <option value="">All products</option>
          {[...products, ...(isListed ? [] : [{ key: product, name: product }])].map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Environment
        <select
          value={environment}
          disabled={isBusy}
          onChange={({ target }) => onChange({ ...asked, environment: environmentOf(target.value) })}
        >
          <option value="">Live and test</option>
          <option value="live">Live</option>
          <option value="test">Test</option>
        </select>
      </label>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </header>
  )
}

/** One of the environments; both for whatever else. */
export const environmentOf = (text: string | null): Asked['environment'] =>
  text === 'live' || text === 'test' ? text : ''

import { inject } from 'vitest'

/** What a run works with. */
export interface Images {
  readonly run: string
  readonly server: string
  readonly migrate: string
  readonly postgres: string
}

declare module 'vitest' {
  interface ProvidedContext {
    images: Images | { readonly problem: string }
  }
}

/**
 * The images of this run.
 * @throws {Error} with the reason why there are none, so that every file fails and says so: vitest itself says of a
 *   setup that failed that no tests were found
 */
export function builtImages(): Images {
  const images = inject('images')
  if ('problem' in images) throw new Error(images.problem)
  return images
}

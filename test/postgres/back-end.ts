/** A PostgreSQL that the tests may use until they stop it. */
export interface BackEnd {
  /** What it is, for the line that says which one was taken. */
  description: string
  /** The URL of a role that may create roles and databases. */
  adminUrl: string
  /** It outlives the run, so what the run made in it has to be dropped. */
  lasting: boolean
  stop(): Promise<void>
}

/** A back end cannot be had here, for a reason that is no mistake: the next one is tried. */
export class BackEndUnavailable extends Error {}

import type { Request, Response } from 'express'
import type { Limit } from '../rate-limit.ts'
import type { Services } from '../route.ts'
import type { StreamedResult } from '../stream.ts'
import type { Prove } from './credentials.ts'

/** How this wire behaves. */
export interface WireOptions {
  /** Whether enterprise tokens can be read back by who made them, or are shown once. */
  readonly enterpriseTokens?: 'readable' | 'once' | undefined
}

/** The same, with what was not told. */
export interface WireSettings {
  readonly enterpriseTokens: 'readable' | 'once'
}

/** What routes of this wire work with. */
export interface WireServices extends Services {
  readonly wire: WireSettings
  readonly prove: Prove
  readonly limit?: Limit | undefined
}

/** One request. */
export interface WireCall {
  readonly services: WireServices
  readonly request: Request
  readonly response: Response
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /**
   * Reads the body, which is JSON.
   * @param maps the names of members that are maps of events
   */
  readonly body: (maps?: ReadonlySet<string>) => Promise<unknown>
  /** Says who makes the request, and counts it. */
  readonly admit: (principal: string) => Promise<void>
  /** Counts the request where nobody has said who makes it. */
  readonly count: (caller: string) => Promise<void>
}

/** An answer. */
export interface WireReply {
  readonly status: number
  /** What is sent as JSON; undefined for none. */
  readonly json?: unknown
  /** What is sent while it is made, in place of JSON. */
  readonly stream?: StreamedResult
  /** Names and values after them. */
  readonly headers?: readonly string[]
  /** What went wrong on our side, for the log. */
  readonly error?: unknown
}

/** An operation of this wire. */
export interface WireRoute {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Below `/audit`, with `:name` for parameters. */
  readonly path: string
  /** The most bytes that its body may have, after decompression; 1 MiB unless told. */
  readonly bodyBytesMax?: number
  /** Whether it answers GraphQL: then its errors are errors of GraphQL too. */
  readonly isGraphql?: boolean
  readonly answer: (call: WireCall) => Promise<WireReply>
}

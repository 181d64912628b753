import { buildSchema } from 'graphql'

/** Retraced's schema: https://github.com/retracedhq/retraced. Clients name its types, so their names are not ours. */
export const auditSchema = buildSchema(`
type Query {
  "A page of events: the first ones after a cursor, oldest first, or the last ones before a cursor, newest first."
  search(query: String, first: Int, after: String, last: Int, before: String): SearchQueryResult
  "A page of events by its number. A cursor of an earlier page holds the beginning and the total still."
  searchPaginated(query: String, pageOffset: Int, pageLimit: Int, startCursor: String, sortOrder: sortOrder): PaginatedSearchQueryResult
}

enum sortOrder { asc desc }

enum CRUD { c r u d }

type SearchQueryResult {
  edges: [SearchEventEdge]
  pageInfo: PageInfo
  "How many there are; from a cursor on, those seen before it and those left."
  totalCount: Int
}

type PaginatedSearchQueryResult {
  edges: [SearchEventEdge]
  totalCount: Int
}

type SearchEventEdge {
  node: Event
  cursor: String
}

type PageInfo {
  hasNextPage: Boolean
  hasPreviousPage: Boolean
}

type Field {
  key: String
  value: String
}

type Group {
  id: ID
  name: String
}

type Actor {
  id: ID
  name: String
  href: String
  fields: [Field]
}

type Target {
  id: ID
  name: String
  href: String
  type: String
  fields: [Field]
}

type Display {
  markdown: String
}

type Event {
  id: ID
  action: String
  description: String
  group: Group
  actor: Actor
  target: Target
  crud: CRUD
  display: Display
  "When it came in, to the second, in UTC."
  received: String
  "When it was said to have happened."
  created: String
  "The one of the two that events are sorted by."
  canonical_time: String
  is_failure: Boolean
  is_anonymous: Boolean
  source_ip: String
  country: String
  loc_subdiv1: String
  loc_subdiv2: String
  component: String
  version: String
  fields: [Field]
  "The event as JSON, as it could be sent again."
  raw: String
  external_id: String
  metadata: [Field]
}
`)

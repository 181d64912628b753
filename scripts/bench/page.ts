import type { Effort } from './measure.ts'
import type { Finding } from './report.ts'

/** What the machine is and how it was measured: everything a reader needs to compare, and no date. */
export interface Circumstances {
  readonly cores: number
  readonly processor: string
  readonly node: string
  readonly postgres: string
  readonly tenants: number
  readonly effort: Effort
}

/** The page `docs/benchmarks.md`. */
export function page(findings: readonly Finding[], { effort, ...where }: Circumstances): string {
  const verdicts = findings.flatMap((finding) => finding.verdicts)
  return `# Benchmarks

<!-- Written by \`pnpm bench --write\` (scripts/bench/page.ts). Do not edit. -->

What the registry costs on top of the least that a service in its place could be: **the processor time that Node.js
takes for one request**; how long a page of a long list takes; how fast entitlements are evaluated; what API keys cost and
how quickly they end. \`make bench\`
measures, \`pnpm bench --write\` measures and writes this page: all numbers are of one run.

- Machine: ${where.cores} cores (${where.processor}), shared by everything that runs, Node.js ${where.node}
- Database: ${where.postgres}, ${where.tenants.toLocaleString('en')} tenants
- Load: ${effort.connections} connections, ${effort.rounds} rounds of ${effort.seconds} s after ${effort.warmUpSeconds} s of warm-up; pages one request at a time

The numbers are medians of the rounds, the least and the most in parentheses.

## Targets

${verdicts.map(({ text }) => `- ${text}`).join('\n')}

\`pnpm bench\` ends with 1 when one of them is missed.

## Numbers

${findings.map(({ table }) => table).join('\n\n')}

## What is compared

- **registry**: the server as it ships (\`apps/server\`) in production, with everything on that it does for a request:
  an access token of an OpenID provider (RS256; its signature is verified once a minute and its digest at every request),
  the authorization, the rate limit, validation of what comes in, the request id, helmet's headers, the answer encoded by
  its schema and tagged, a line in the log for each request (standard output goes to a file). What it reads, it reads from
  the database every time; nothing of a tenant is cached.
- **registry without tokens**: the same with \`APP_ENV=dev\` and \`AUTH_MODE=off\`: no token, no rate limit, local requests
  only.
- **bare Express**: \`scripts/bench/bare-express.ts\`. Express 5 with its defaults (which include an ETag for every
  answer), a \`pg\` pool with its defaults, the same rows by one named prepared statement, \`response.json(rows)\`. No
  tokens, no validation, no log, no headers. For the entitlements it puts the stored rows of the tenant's products under
  the tenant and judges nothing: neither plans nor states nor time go into its answer. Its \`POST\` inserts one row in one
  statement; the registry's is a transaction with the tenant, its hash-chained audit event, the head of that chain and
  what the feed of changes needs, which is what an audited write costs.
- **bare node:http**: \`scripts/bench/bare-node.ts\`, the same without Express.
- **SQL alone**: the statement for the same rows, written by hand, without the sight of the caller or any filter that is
  not used, prepared once and sent over one connection of \`pg\`; no server. Before it is measured, its rows are compared
  with those that the registry answers. As a product, the registry answers fewer fields of each tenant than the statement
  reads.
- **evaluate**: the function that says what a tenant may use, of \`packages/core/src/entitlements\`, without the database.
  One evaluation is the whole answer about one tenant with five products: access, reason, configuration, limits, features
  and the next change by time of each. It is asked for the same tenant again and again. Copying such an answer, or
  writing it as JSON, is what it is compared with.

- **bare loop**: HMAC, a map, SHA-256 and a comparison in constant time, one after the other and for nothing, with the
  functions that the verifier uses. A warm verification can be quicker: for a token that was proven it needs no HMAC.
- **POST verify**: bare Express parses the same JSON with \`express.json()\` and answers \`{}\`. The registry verifies, as a
  product with a service token, a key that was proven before.
- **Revoked on one replica, refused on the other**: two servers as they ship, on one database. From the answer of the one
  until the other, which is asked back to back, refuses a key that it had just found good.
- **Keys for the first time**: a server that was just started, and as many connections as keys. It has the machine's cores
  for itself, the database, argon2 and who asks; on two of them argon2 runs one at a time.

## How to read it

- Processor time is \`process.cpuUsage()\` of the server's process, asked before and after each round: JavaScript, system
  calls, garbage collection and compilation together, PostgreSQL and the generator of load not. It says how many
  requests a core can serve, and it is far steadier than requests per second, which also depend on who else wants the
  cores: here the generator, PostgreSQL and the server share them.
- All servers run side by side in one run and take turns within every round; a multiple is the median of the multiples
  of the rounds. Only numbers of one run can be compared; the multiples carry over to other machines, the microseconds
  do not. What else the machine does widens the spread.
- A page is timed from the first byte sent to the last one received, over one connection that stays open, a hundred times
  in each round: p50 and p99 are those of a round, and the median of the rounds again. What else the machine does shows
  in p99 first, also in that of the SQL. Deep pages are those after 95 % of their list, with the cursor that a caller
  gets on the way there; the multiple is of the first page's p50.
- \`pnpm bench --rounds 3 --seconds 1 --only by-slug\` is a quick look, \`--only pages\` and \`--only evaluator\` as well;
  \`--profile folder\` leaves a CPU profile of the registry there. The servers' products are in \`scripts/bench/products\`.
`
}

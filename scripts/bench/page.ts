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
takes for one request**; how long a page of a long list takes; how fast entitlements are evaluated; what API keys cost,
what becomes of everybody else when many come at once, and how quickly they end. \`make bench\` measures,
\`pnpm bench --write\` measures and writes this page: all numbers are of one run.

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
- **the bare loop**: an HMAC, a map, SHA-256 over a salt and the token, and two comparisons in constant time, one after
  the other and for nothing, with the functions that the verifier uses. A warm verification can be quicker: what was
  proven before needs no HMAC. **argon2id alone** hashes with the same parameters; a key for the first time is that and a read.
- **a hot key whose state aged**: a hundred callers at once ask for one key before its state is 30 s old and after.
  **Nothing is told of it**: a verifier whose listener claims to hear everything and passes nothing on. What is left is the
  age that state may have, which bounds whatever else may happen.
- **\`POST /v1/api-keys/verify\`**, also in batches: the registry verifies keys that were proven before for a product with
  a service token, in a batch a hundred different ones. Bare Express parses the same JSON with \`express.json()\`, does
  nothing about it and answers \`{}\`.
- **forged tokens**: right in shape and CRC and wrong in their MAC, half of them with the public part of a real key, sent
  by a product in batches, as fast as the title says and no faster.
- **Revoked on A, refused on B**: two more servers as they ship, on the same database. A key is asked for on B, revoked on
  A, and asked for on B again and again, one request after the other: the time from A's answer until B is asked the question
  that it answers with no. B's listening connection goes through a relay: first as it is, then PostgreSQL ends it just before
  each revocation, then the relay swallows everything that comes through it and nobody notices.
- **all at once**: a server that was just started and has answered other requests until they were quick, as many
  connections as keys, and a request on each at the same moment. Keys whose turn comes in time are valid, all others are
  told to come back with 503. The same again on the same server says whether anything of it stays in memory.

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
- Other requests, while keys are forged or come all at once, are \`GET by-slug\`: 200 a second over one connection, before
  for 9 s and meanwhile; and for 9 s beside a process that does nothing but one argon2 after the other, without any key
  asked about: that much is the machine's own (docs/adr/0012-api-keys.md). The target of 5 000 keys for them is judged by
  the median of three replicas, all others by the first. argon2 is counted where its library is called, and how many of
  it run at the same time. The event loop's p99 is the time between two looks that are 10 ms apart when nothing holds
  them up, so 10 ms is the least that it can be. Memory is the most that the process had, and what of JavaScript's main
  thread is kept once all garbage is gone: Node.js holds on to memory that it needed once.
- In all of these the server shares the machine's cores with PostgreSQL, the keys' senders and those of other requests.
  On two cores the registry runs one argon2 at a time, else two, and each key waits for those before it: how long argon2
  takes alone, in the first table on keys, says how many keys can be new in a second.
- \`pnpm bench --rounds 3 --seconds 1 --only by-slug\` is a quick look; \`--only pages\`, \`--only evaluator\` and
  \`--only keys\` are others. \`--profile folder\` leaves a CPU profile of the registry there. The servers' products are in \`scripts/bench/products\`.
`
}

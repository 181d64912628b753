import type { Finding } from '../report.ts'
import { requestsOfRound } from './reads.ts'

/** What the machine is and how it was measured: everything a reader needs to compare, and no date. */
export interface AuditCircumstances {
  readonly cores: number
  readonly processor: string
  readonly node: string
  readonly postgres: string
  readonly rounds: number
}

/** The page `docs/benchmarks-audit.md`. */
export function auditPage(findings: readonly Finding[], where: AuditCircumstances): string {
  const verdicts = findings.flatMap((finding) => finding.verdicts)
  return `# Benchmarks of the audit log

<!-- Written by \`pnpm bench:audit --write\` (scripts/bench/audit/page.ts). Do not edit. -->

How long it takes to find something in a large log, to count it, and to put something in. \`make bench-audit\` measures,
\`pnpm bench:audit --write\` measures and writes this page: all numbers are of one run.

- Machine: ${where.cores} cores (${where.processor}), shared by everything that runs, Node.js ${where.node}
- Database: ${where.postgres}
- ${where.rounds} rounds of ${requestsOfRound.page.toLocaleString('en')} requests for a page (${requestsOfRound.other} where it has no bound, or is found by words) over one connection, one after the other; medians of the rounds, the least and the most in parentheses

## Targets

${verdicts.map(({ text }) => `- ${text}`).join('\n')}

\`pnpm bench:audit\` ends with 1 when one of them is missed.

## Numbers

${findings.map(({ table }) => table).join('\n\n')}

## What is measured

- **The log** has 24 months with events, evenly, and the twelve months ahead that every log has, so 36 partitions. A fifth
  of the events is one tenant's, the rest belongs to 500 others; they are made by PostgreSQL itself
  (\`scripts/bench/audit/events.ts\`) and have everything that an event has but links of a chain. Half of them say when
  they happened; one in a hundred comes three days late. Their descriptions are ten words of 50 000, the n-th of which is
  said half as often as the n/2-th, so that some stand in half of all events and some in a handful.
- **A page**: \`GET /v1/audit/events\` of the server as it ships, in production, as one of the platform's people. 95 % is
  the place behind 95 of 100 events of the tenant, with the cursor that its reader has there. *A word, whichever is said*
  asks for a hundred words, drawn as often as they are said.
- **Cold**: the database was stopped and started, and the server after it, and this was asked for the first time. What the
  system itself keeps of the files is still there. **Warm**: asked again, over one connection that stays open.
- **Counting** is done by the registry's own functions over one connection, without a server: what one product recorded for
  the large tenant in one environment, of two kinds. The list counts to 10 000, the viewer on its pages all. *Never vacuumed*: as it is when nothing has looked after the log since it was written;
  the index alone does not say yet which rows are to be seen.
- **What goes in** is published with a key of a product, over HTTP, as the documentation of the client has it: what
  was acknowledged is on disk (fsync is on), linked to its chain and found by every index. *Logs* are streams: what is
  published to one of them waits for the one before. In bulk 32 connections fill the server; over eight its batches are
  smaller. *Bare Express* parses the same bodies and stores what they hold as
  rows of JSON in a table with a primary key; the target of single events in many logs was set
  where it took in 9 200 a second, so it is judged as a share of that too. *Bare inserts* are PostgreSQL alone over one connection: rows of the log, put
  in once more, fifty in a transaction, with all indexes and with their words known already.
- **What comes out** is read by one client until it has a million events, if there are so many. The heap is looked at once
  all garbage is gone. **Verified** is a stream that the registry wrote itself.
- \`--postgres /usr/lib/postgresql/18\` measures with the PostgreSQL that is installed there. The embedded one is made to be
  small (\`-Os\`), and takes about a seventh longer for what goes in than one that is made to be quick (\`-O2\`), as all
  distributions have it.
- \`pnpm bench:audit --quick\` is a quick look with 100 000 events; \`--rows 1000000\` is one size alone; \`--keep\` keeps the
  databases (in PostgreSQL's folder of this checkout), and a run that was stopped is taken up where it was. What a run
  publishes goes before the next one. \`--only\` measures
  one thing: \`pages\`, \`counts\`, \`exports\`, \`verification\` or \`ingest\`. Ten million events take 30 GB and a quarter of an hour to make.
`
}

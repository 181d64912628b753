import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

/** Something that a package exports: what it is imported by, and where its types are. */
interface Entry {
  /** `.`, or what comes behind the name of the package, such as `./testing`. */
  readonly path: string
  readonly types: string
}

/**
 * Compares what a built package exports with the reports committed in its `etc/`, one for each of its entries, or writes
 * those reports. Returns what is wrong.
 */
export function apiReportProblems(folder: string, name: string, update: boolean): string[] {
  return entriesOf(folder).flatMap((entry) => apiReportProblem(folder, name, entry, update) ?? [])
}

function entriesOf(folder: string): Entry[] {
  const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports?: Record<string, { readonly types?: string }>
  }
  return Object.entries(exports).flatMap(([path, { types }]) => (types === undefined ? [] : [{ path, types }]))
}

function apiReportProblem(folder: string, name: string, entry: Entry, update: boolean): string | undefined {
  const reportFolder = join(folder, 'etc')
  if (update) mkdirSync(reportFolder, { recursive: true })
  const reportName = entry.path === '.' ? name : `${name}-${entry.path.slice(2)}`
  const report = join('packages', name, 'etc', `${reportName}.api.md`)
  if (!update && !existsSync(join(reportFolder, `${reportName}.api.md`))) return `${report} is missing${remedy}`

  const messages: string[] = []
  const result = Extractor.invoke(configuration(folder, reportName, entry, reportFolder), {
    localBuild: update,
    messageCallback(message) {
      message.handled = true
      const { logLevel } = message
      if (logLevel === ExtractorLogLevel.Error || logLevel === ExtractorLogLevel.Warning) messages.push(message.text)
    },
  })
  if (result.apiReportChanged && !update) return `${report} is not what the package exports now${remedy}`
  return result.succeeded ? undefined : `${reportName}: API report:\n${messages.join('\n')}`
}

const remedy = '; look at the change, then run `pnpm generate:api` and commit it'

function configuration(folder: string, reportName: string, { types }: Entry, reportFolder: string): ExtractorConfig {
  const none = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false } as const
  const packageJsonFullPath = join(folder, 'package.json')
  return ExtractorConfig.prepare({
    packageJsonFullPath,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, types),
      newlineKind: 'lf',
      compiler: {
        // Not the repository's own: with its source condition, other packages would be read from their sources.
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2024',
            lib: ['es2024', 'esnext.disposable'],
            module: 'nodenext',
            types: ['node'],
            typeRoots: [join(folder, '../../node_modules/@types')],
            strict: true,
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: { enabled: true, reportFolder, reportTempFolder: join(folder, 'dist'), reportFileName: reportName },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error, addToApiReportFile: false } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: false },
          // No release tags here: what is exported is public.
          'ae-missing-release-tag': none,
          // The report marks them; which exports need a sentence is for a reviewer to say.
          'ae-undocumented': none,
          // A type that is only reachable through another one belongs into the report too, where a reviewer sees it.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: none },
      },
    },
  })
}

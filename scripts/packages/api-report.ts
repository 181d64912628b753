import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

/**
 * Compares a built package's exported API with the report committed in its `etc/`, or writes that report.
 * Returns what is wrong, if anything is.
 */
export function apiReportProblem(folder: string, name: string, update: boolean): string | undefined {
  const reportFolder = join(folder, 'etc')
  if (update) mkdirSync(reportFolder, { recursive: true })
  const report = join('packages', name, 'etc', `${name}.api.md`)
  if (!update && !existsSync(join(reportFolder, `${name}.api.md`))) return `${report} is missing${remedy}`

  const messages: string[] = []
  const result = Extractor.invoke(configuration(folder, name, reportFolder), {
    localBuild: update,
    messageCallback(message) {
      message.handled = true
      const { logLevel } = message
      if (logLevel === ExtractorLogLevel.Error || logLevel === ExtractorLogLevel.Warning) messages.push(message.text)
    },
  })
  if (result.apiReportChanged && !update) return `${report} is not what the package exports now${remedy}`
  return result.succeeded ? undefined : `${name}: API report:\n${messages.join('\n')}`
}

const remedy = '; look at the change, then run `pnpm generate:api` and commit it'

function configuration(folder: string, name: string, reportFolder: string): ExtractorConfig {
  const none = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false } as const
  const packageJsonFullPath = join(folder, 'package.json')
  return ExtractorConfig.prepare({
    packageJsonFullPath,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist', 'index.d.ts'),
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
          files: ['dist/index.d.ts'],
        },
      },
      apiReport: { enabled: true, reportFolder, reportTempFolder: join(folder, 'dist'), reportFileName: name },
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

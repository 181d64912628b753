import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'

/** What a tethered process may be given. */
export interface TetheredOptions {
  /** The signal it gets when this process is gone. */
  signal: 'INT' | 'TERM'
  output: 'inherit' | number
  cwd?: string
  env?: NodeJS.ProcessEnv
  account?: { uid: number; gid: number } | undefined
}

// A watcher waits for the end of file 3, which comes when this process ends in whatever way, kill -9 included,
// then signals the shell's own number, which by then is the program's. It is forked twice so that the
// program (PostgreSQL looks at all its children) never sees it.
const tether = '( ( read -r _ <&3; kill -"$0" $$ ) >/dev/null 2>&1 & ); exec "$@" 3<&-'

/**
 * Starts a program that cannot outlive this process, in a session of its own: Ctrl-C in a terminal reaches
 * only us, and we decide in which order things end.
 */
export function spawnTethered(command: string, args: readonly string[], options: TetheredOptions): ChildProcess {
  const stdio: StdioOptions = ['ignore', options.output, options.output, 'pipe']
  const child = spawn('/bin/sh', ['-c', tether, options.signal, command, ...args], {
    detached: true,
    stdio,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env && { env: options.env }),
    ...options.account,
  })
  // Ended first: let the watcher go at once, before its number can become another process's.
  const release = () => child.stdio[3]?.destroy()
  child.once('exit', release).once('error', release)
  child.stdio[3]?.on('error', release)
  return child
}

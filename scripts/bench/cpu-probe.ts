/**
 * Preloaded into a server that is measured, which knows nothing of it: answers every message with the processor time
 * that the process has taken so far, in microseconds, all its threads together.
 */
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
// Without this the channel would keep a server alive that has stopped, and a server would outlive a killed bench.
process.channel?.unref()
process.on('disconnect', () => process.exit())

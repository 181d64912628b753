import { bareArgon2 } from './bare-argon2.ts'

/** A program that hashes, one thing after the other, as long as whoever started it wants. */
process.on('disconnect', () => process.exit())
process.send?.('begins')
for (;;) await bareArgon2()

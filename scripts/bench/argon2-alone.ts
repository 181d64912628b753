/** A program that does nothing but compare by argon2, as dear as the registry does, one thread, until it is ended. */
import { hashCostMin } from '../../packages/core/src/api-keys/password-hash.ts'

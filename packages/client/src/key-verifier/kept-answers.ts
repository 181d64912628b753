import type { Moment } from '../clock.ts'
import type { KeyVerification } from './verification.ts'

/** What the registry said of a key and a question. */
export interface Kept {
  /** Which key it is about: a digest. */
  readonly key: string
  readonly answer: KeyVerification
  /** When the question was sent: from then on it counts. */
  readonly askedAt: Moment
  readonly freshMs: number
}

/** Answers by key and question: those that were used last. */
export class KeptAnswers {
  readonly #max: number
  /** The one that was used last is at the end. */
  readonly #byQuestion = new Map<string, Kept>()

  constructor(max: number) {
    this.#max = max
  }

  get(question: string): Kept | undefined {
    const kept = this.#byQuestion.get(question)
    if (kept) this.set(question, kept)
    return kept
  }

  set(question: string, kept: Kept): void {
    this.#byQuestion.delete(question)
    this.#byQuestion.set(question, kept)
    for (const oldest of this.#byQuestion.keys()) {
      if (this.#byQuestion.size <= this.#max) return
      this.#byQuestion.delete(oldest)
    }
  }

  delete(question: string): void {
    this.#byQuestion.delete(question)
  }

  /** Forgets what is meant. */
  forget(isMeant: (kept: Kept) => boolean): void {
    for (const [question, kept] of this.#byQuestion) if (isMeant(kept)) this.#byQuestion.delete(question)
  }
}

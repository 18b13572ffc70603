import { awsFailure, type AwsFailure, passesByItself } from './aws_failure.ts';
import { duration } from './duration.ts';
import type { Timing } from './timing.ts';

export interface PatienceSettings {
  /** The wait before the second try; it doubles from try to try. Milliseconds. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** How long AWS may be out of reach, milliseconds. */
  readonly giveUpAfterMs: number;
}

/**
 * Asks AWS again as long as what is wrong passes by itself. AWS that asks for a slower pace gets it, for as long as it takes;
 * AWS that can't be reached is tried for a while. Each trouble is told once, and its end too.
 */
export class Patience {
  readonly #settings: PatienceSettings;
  readonly #timing: Timing;
  readonly #onTrouble: (line: string) => void;

  /** @param onTrouble hears a line for people. */
  constructor(settings: PatienceSettings, timing: Timing, onTrouble: (line: string) => void) {
    this.#settings = settings;
    this.#timing = timing;
    this.#onTrouble = onTrouble;
  }

  /** @throws what does not pass by itself, or has not passed in time. */
  async ask<Answer>(question: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    let told: AwsFailure | undefined;
    let unreachableSince: number | undefined;
    for (let wait = this.#settings.firstWaitMs; ; wait *= 2) {
      try {
        const answer = await question();
        if (told !== undefined) this.#onTrouble('AWS answers again');
        return answer;
      } catch (error) {
        const failure = awsFailure(error);
        if (failure === undefined || !passesByItself(failure)) throw error;
        if (signal?.aborted === true) throw error;
        const now = this.#timing.now();
        unreachableSince = failure === 'throttled' ? undefined : (unreachableSince ?? now);
        const { giveUpAfterMs, longestWaitMs } = this.#settings;
        if (unreachableSince !== undefined && now - unreachableSince >= giveUpAfterMs) throw error;
        if (failure !== told) this.#onTrouble(this.#describe(failure));
        told = failure;
        await this.#timing.sleep(Math.min(wait, longestWaitMs), signal);
      }
    }
  }

  #describe(failure: AwsFailure): string {
    const until = `trying again for ${duration(this.#settings.giveUpAfterMs / 1_000)}`;
    if (failure === 'throttled') return 'AWS asks for a slower pace: looking less often';
    return failure === 'network'
      ? `The connection to AWS is lost: ${until}`
      : `AWS fails to answer: ${until}`;
  }
}

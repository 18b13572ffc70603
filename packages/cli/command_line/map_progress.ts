import { DescribeMapRunCommand, ListMapRunsCommand, type SFNClient } from '@aws-sdk/client-sfn';

/** How far a Distributed Map is. */
export interface ItemCounts {
  readonly total: number;
  /** Ended, however they did. */
  readonly done: number;
  /** Of those: failed, timed out or aborted as executions. An item whose failure was caught is none of them. */
  readonly failed: number;
}

/**
 * The progress of an execution's Distributed Map, which each of the workflows has one of. AWS's counts are a little late,
 * and may be older than the ones before; these here never go back.
 */
export class MapProgress {
  readonly #sfn: SFNClient;
  readonly #executionArn: string;
  #mapRunArn: string | undefined;
  #counts: ItemCounts = { total: 0, done: 0, failed: 0 };
  #ended = false;

  constructor(sfn: SFNClient, executionArn: string) {
    this.#sfn = sfn;
    this.#executionArn = executionArn;
  }

  /** Undefined until the Map has begun. */
  get mapRunArn(): string | undefined {
    return this.#mapRunArn;
  }

  /** Asks AWS; undefined until there are items. A Map Run that has ended is not asked about again. */
  async look(abortSignal?: AbortSignal): Promise<ItemCounts | undefined> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    this.#mapRunArn ??= await this.#findMapRun(options);
    if (this.#mapRunArn !== undefined && !this.#ended) {
      const { itemCounts, status } = await this.#sfn.send(
        new DescribeMapRunCommand({ mapRunArn: this.#mapRunArn }),
        options,
      );
      this.#ended = status !== 'RUNNING';
      const { total = 0, succeeded = 0, failed = 0, aborted = 0, timedOut = 0 } = itemCounts ?? {};
      const unsuccessful = failed + aborted + timedOut;
      this.#counts = {
        total: Math.max(total, this.#counts.total),
        done: Math.max(succeeded + unsuccessful, this.#counts.done),
        failed: Math.max(unsuccessful, this.#counts.failed),
      };
    }
    return this.#counts.total === 0 ? undefined : this.#counts;
  }

  async #findMapRun(options: { readonly abortSignal?: AbortSignal }): Promise<string | undefined> {
    const { mapRuns = [] } = await this.#sfn.send(
      new ListMapRunsCommand({ executionArn: this.#executionArn }),
      options,
    );
    return mapRuns[0]?.mapRunArn;
  }
}

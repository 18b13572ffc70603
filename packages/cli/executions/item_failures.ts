import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { describeFailure } from '../../../simple_lambdas/runtime/failures.ts';
import { awsFailure, passesByItself } from '../command_line/aws_problem.ts';
import type { Timing } from './watch_execution.ts';

/** How many ended items may be looked at: each is a request to AWS. */
export interface LookingAtItems {
  readonly perSecond: number;
  /** At once, where the last look is some seconds ago. */
  readonly atOnce: number;
  /** Of one execution. */
  readonly inTotal: number;
}

/**
 * DescribeExecution has the most generous of the quotas: ten a second for long in the smallest regions (AWS Step Functions
 * Developer Guide, "Service quotas"), for all that is done in the account.
 */
export const FEW_ITEMS: LookingAtItems = { perSecond: 2, atOnce: 10, inTotal: 1_000 };

/** An item that failed, in a line for people: `image 1: RateLimited: slow down`. */
type FailedItem = string;

const outputSchema = z.object({
  status: z.enum(['error', 'refused']),
  image_id: z.string().optional(),
  receipt_id: z.int().optional(),
  batch_id: z.string().optional(),
  error: z.string(),
  cause: z.string(),
});

/**
 * Failures while an execution runs. An item's failure is caught in its own execution, which ends SUCCEEDED and says so in
 * its output. AWS lists executions without their outputs, and gives an output for a request each; so some of those that
 * ended last are looked at, and what is told of them is told of them alone.
 */
export class ItemFailures {
  readonly #sfn: SFNClient;
  readonly #timing: Timing;
  readonly #limits: LookingAtItems;
  readonly #lookedAt = new Set<string>();
  #failed = 0;
  #allowance: number;
  #lastLook: number | undefined;
  #isOver = false;
  #problem: string | undefined;

  constructor(sfn: SFNClient, timing: Timing, limits: LookingAtItems) {
    this.#sfn = sfn;
    this.#timing = timing;
    this.#limits = limits;
    this.#allowance = limits.atOnce;
  }

  /** How many ended items were looked at. */
  get lookedAt(): number {
    return this.#lookedAt.size;
  }

  /** How many of those had failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Why no more are looked at (it is not allowed, say), to be told once: undefined from then on. */
  takeProblem(): string | undefined {
    const problem = this.#problem;
    this.#problem = undefined;
    return problem;
  }

  /** Looks at some that have ended and were not looked at. @returns those that failed. */
  async look(mapRunArn: string, abortSignal?: AbortSignal): Promise<FailedItem[]> {
    const most = this.#allow();
    if (most === 0 || this.#isOver) return [];
    const options = abortSignal === undefined ? {} : { abortSignal };
    const failures: FailedItem[] = [];
    try {
      const { executions = [] } = await this.#sfn.send(
        // The newest come first; of those that began last, the fewest were looked at.
        new ListExecutionsCommand({ mapRunArn, statusFilter: 'SUCCEEDED', maxResults: 100 }),
        options,
      );
      const newlyEnded = executions
        .map(({ executionArn = '' }) => executionArn)
        .filter((arn) => !this.#lookedAt.has(arn))
        .slice(0, most);
      for (const executionArn of newlyEnded) {
        const { output } = await this.#sfn.send(
          new DescribeExecutionCommand({ executionArn }),
          options,
        );
        this.#allowance--;
        this.#lookedAt.add(executionArn);
        const failure = describeItem(output);
        if (failure === undefined) continue;
        this.#failed++;
        failures.push(failure);
      }
    } catch (error) {
      // What is wrong with AWS or the way to it shows in the next look at the execution itself.
      const failure = awsFailure(error);
      if (failure === undefined || !passesByItself(failure)) {
        this.#isOver = true;
        this.#problem = problemOf(error);
      }
    }
    return failures;
  }

  #allow(): number {
    const { perSecond, atOnce, inTotal } = this.#limits;
    const now = this.#timing.now();
    const seconds = (now - (this.#lastLook ?? now)) / 1_000;
    this.#lastLook = now;
    this.#allowance = Math.min(this.#allowance + seconds * perSecond, atOnce);
    return Math.min(Math.floor(this.#allowance), inTotal - this.#lookedAt.size);
  }
}

function describeItem(output: string | undefined): FailedItem | undefined {
  const parsed = outputSchema.safeParse(JSON.parse(output ?? 'null'));
  return parsed.success ? failedItem(parsed.data) : undefined;
}

/** Of a summary's list too. */
export function failedItem(failure: Omit<z.output<typeof outputSchema>, 'status'>): FailedItem {
  const { image_id: image, receipt_id: receipt, batch_id: batch } = failure;
  const { error, cause } = describeFailure(failure);
  const item = batch ?? `${image ?? ''} ${receipt ?? ''}`.trim();
  return `${item}: ${error}: ${cause}`;
}

function problemOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

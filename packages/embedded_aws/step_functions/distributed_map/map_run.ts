import type { Execution, Machine } from '../execution/execution.ts';

export type MapRunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';

export interface MapRunStart {
  readonly arn: string;
  /** The last part of the ARN, and the folder of the results. */
  readonly id: string;
  readonly parent: Execution;
  /** What the children execute. */
  readonly machine: Machine;
  /** 1 to 10,000 */
  readonly maxConcurrency: number;
  /** 0 to 100 */
  readonly toleratedFailurePercentage: number;
  /** Infinity where only a percentage is tolerated. */
  readonly toleratedFailureCount: number;
  readonly childType: 'STANDARD' | 'EXPRESS';
  readonly startDate: Date;
}

/**
 * Succeeded children of one Map Run that keep their history. Beyond, only what DescribeExecution and the result
 * files need is kept, so that a run of many thousand children fits into memory. A child that
 * did not succeed keeps its history: it is the one that is looked at.
 */
const KEPT_HISTORIES = 1_000;

/** One run of a distributed Map: its children, and how far they are. */
export class MapRun {
  readonly start: MapRunStart;
  /** In the order in which they started. */
  readonly children: Execution[] = [];
  readonly counts = {
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    timedOut: 0,
    aborted: 0,
    total: 0,
    resultsWritten: 0,
  };
  #status: MapRunStatus = 'RUNNING';
  #stopDate: Date | undefined;

  constructor(start: MapRunStart) {
    this.start = start;
  }

  get status(): MapRunStatus {
    return this.#status;
  }

  get stopDate(): Date | undefined {
    return this.#stopDate;
  }

  expect(items: number): void {
    this.counts.total = items;
    this.counts.pending = items;
  }

  childStarted(child: Execution): void {
    this.children.push(child);
    this.counts.pending -= 1;
    this.counts.running += 1;
  }

  childEnded(child: Execution): void {
    this.counts.running -= 1;
    switch (child.status) {
      case 'SUCCEEDED':
        this.counts.succeeded += 1;
        if (this.counts.succeeded > KEPT_HISTORIES) child.dropHistory();
        break;
      case 'TIMED_OUT':
        this.counts.timedOut += 1;
        break;
      case 'ABORTED':
        this.counts.aborted += 1;
        break;
      case 'FAILED':
      case 'RUNNING':
        this.counts.failed += 1;
    }
    if (this.start.childType === 'EXPRESS') child.dropHistory();
  }

  /** More children than tolerated have failed, by their number or by their share: whichever is less. */
  isBeyondTolerance(): boolean {
    const { failed, timedOut, aborted, total } = this.counts;
    const { toleratedFailureCount, toleratedFailurePercentage } = this.start;
    const all = failed + timedOut + aborted;
    return all > toleratedFailureCount || all * 100 > toleratedFailurePercentage * total;
  }

  end(status: Exclude<MapRunStatus, 'RUNNING'>, stopDate: Date): void {
    this.#status = status;
    this.#stopDate = stopDate;
  }
}

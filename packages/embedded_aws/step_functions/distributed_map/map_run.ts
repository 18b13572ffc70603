import type { Execution } from '../execution/execution.ts';
import type { Machine } from '../execution/machine.ts';

export type MapRunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';

export interface MapRunSettings {
  readonly label: string;
  /** 1 to 10,000 */
  readonly maxConcurrency: number;
  /** 0 to 100 */
  readonly toleratedFailurePercentage: number;
  readonly toleratedFailureCount: number;
  readonly childType: 'STANDARD' | 'EXPRESS';
}

export interface MapRunStart {
  readonly arn: string;
  /** The last part of the ARN, and the folder of the results. */
  readonly id: string;
  readonly parent: Execution;
  /** What the children execute. */
  readonly machine: Machine;
  readonly settings: MapRunSettings;
  readonly startDate: Date;
}

interface Counts {
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  total: number;
  resultsWritten: number;
}

/**
 * Succeeded children of one Map Run that keep their history. Beyond, only what DescribeExecution and the result
 * files need is kept, so that a run of many thousand children fits into memory. A child that
 * did not succeed keeps its history: it is the one that is looked at.
 */
const keptHistories = 1_000;

/** One run of a distributed Map: its children, and how far they are. */
export class MapRun {
  readonly arn: string;
  readonly id: string;
  readonly parent: Execution;
  readonly machine: Machine;
  readonly settings: MapRunSettings;
  readonly startDate: Date;
  /** In the order in which they started. */
  readonly children: Execution[] = [];
  readonly counts: Counts = {
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
    this.arn = start.arn;
    this.id = start.id;
    this.parent = start.parent;
    this.machine = start.machine;
    this.settings = start.settings;
    this.startDate = start.startDate;
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
        if (this.counts.succeeded > keptHistories) child.dropHistory();
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
    if (this.settings.childType === 'EXPRESS') child.dropHistory();
  }

  /** More children than tolerated have failed; neither threshold given means that none may. */
  isBeyondTolerance(): boolean {
    const { failed, timedOut, aborted, total } = this.counts;
    const unsuccessful = failed + timedOut + aborted;
    const { toleratedFailureCount: count, toleratedFailurePercentage: percentage } = this.settings;
    if (unsuccessful === 0) return false;
    const beyondCount = unsuccessful > count;
    const beyondPercentage = unsuccessful * 100 > percentage * total;
    // A threshold of 0 is one that was not given, unless the other one was not given either.
    if (count === 0 && percentage === 0) return true;
    return (count > 0 && beyondCount) || (percentage > 0 && beyondPercentage);
  }

  end(status: Exclude<MapRunStatus, 'RUNNING'>, stopDate: Date): void {
    if (this.#status !== 'RUNNING') return;
    this.#status = status;
    this.#stopDate = stopDate;
  }
}

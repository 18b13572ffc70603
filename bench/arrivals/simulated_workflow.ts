import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import { mapSettled } from 'receipt-embedding/settled_map';
import type { ReceiptsTable, StoredReceipt } from './receipts_table.ts';
import type { SimulatedClock } from './simulated_clock.ts';

export interface WorkflowSettings {
  /** Until the first receipt is begun: the execution starts, finds its receipts, and starts the Map's children. */
  readonly beginningSeconds: number;
  /** A receipt that is embedded, and one that turns out to be up to date. */
  readonly receiptSeconds: number;
  readonly upToDateSeconds: number;
  /** Receipts at a time, of one execution. */
  readonly maxConcurrency: number;
}

/** The realtime workflow, as far as arrivals see it: receipts are read, are in the stores some seconds later, and statuses are written. */
export class SimulatedWorkflow {
  readonly #clock: SimulatedClock;
  readonly #table: ReceiptsTable;
  readonly #settings: WorkflowSettings;
  readonly #names = new Set<string>();
  /** Receipts of each execution. */
  readonly executions: number[] = [];
  /** Receipts that were embedded, and those of them whose very content another execution had just embedded as well. */
  embedded = 0;
  boughtTwice = 0;

  constructor(clock: SimulatedClock, table: ReceiptsTable, settings: WorkflowSettings) {
    this.#clock = clock;
    this.#table = table;
    this.#settings = settings;
  }

  /** An execution's name is started once. */
  start(name: string, receipts: readonly ReceiptIdentity[]): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.executions.push(receipts.length);
    this.#clock.begin(async () => {
      await this.#clock.sleep(this.#settings.beginningSeconds);
      await mapSettled(receipts, (receipt) => this.#process(receipt), {
        atOnce: this.#settings.maxConcurrency,
      });
    });
  }

  async #process(identity: ReceiptIdentity): Promise<void> {
    const receipt = this.#table.receipts.get(receiptPath(identity));
    if (receipt === undefined) throw new Error('an execution has a receipt that never was');
    receipt.runs++;
    if (receipt.embedded === receipt.version) receipt.vain++;
    while (await this.#embed(receipt));
  }

  /** @returns whether another execution came between, so that it is to be looked at again: the record's version tells. */
  async #embed(receipt: StoredReceipt): Promise<boolean> {
    const { version, embedded: before } = receipt;
    if (before === version) {
      await this.#clock.sleep(this.#settings.upToDateSeconds);
      return false;
    }
    await this.#clock.sleep(this.#settings.receiptSeconds);
    this.embedded++;
    if (receipt.embedded !== before) {
      if (receipt.embedded === version) this.boughtTwice++;
      return true;
    }
    this.#table.noteEmbedded(receipt, version);
    this.#table.writeStatuses(receipt, version);
    return false;
  }
}

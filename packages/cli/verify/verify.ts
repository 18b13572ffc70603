import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { S3Client } from '@aws-sdk/client-s3';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import { WrongArgument } from '../command_line/arguments.ts';
import { type CommandPorts, EXIT, exitStatusOf, signalOf } from '../command_line/command.ts';
import {
  findStackOutputs,
  requireOutput,
  type StackOutputs,
  stackRegion,
} from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { isWanted, terminalQuestion } from '../command_line/question.ts';
import { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { createS3Client } from '../forget/forget.ts';
import { openStackStores, type StackStore } from '../stores/stack_stores.ts';
import { checkReceipt, type CheckedReceipt } from './check_receipt.ts';
import { parseVerify, type VerifyOptions } from './options.ts';
import type { ReadingPorts } from './read_receipt.ts';
import { repairReceipt } from './repair_receipt.ts';
import {
  comparedLine,
  type FoundKind,
  findingLines,
  Findings,
  isInformation,
  type VerifyCounts,
} from './report.ts';
import { everyReceipt, type ListedReceipt, sampledReceipts } from './verified_receipts.ts';

export interface VerifyPorts extends CommandPorts {
  /** Asks a person; undefined where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** An existing folder for files on their way; nothing is left there. */
  readonly temporaryFolder: string;
  /** Speaks to S3 in this region (undefined: the environment's), and throws the layer's errors. */
  readonly s3: (region: string | undefined) => S3Client;
  readonly openStores: (outputs: StackOutputs) => Promise<StackStore[]>;
}

/** `receipts verify`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await verify(argv, {
    ...processPorts(),
    temporaryFolder: tmpdir(),
    confirm: terminalQuestion(),
    s3: createS3Client,
    openStores: openStackStores,
  });
}

/** Compares a stack's table, records, log and stores. @returns the exit status. */
export async function verify(argv: readonly string[], ports: VerifyPorts): Promise<number> {
  return await exitStatusOf('Comparing the stack', ports.messages, async () => {
    const options = parseVerify(argv, ports);
    const screen = new Screen(options.json ? ports.messages : ports.out);
    const folder = await mkdtemp(join(ports.temporaryFolder, 'verify-'));
    try {
      return await new Verification(options, ports, screen, join(folder, 'plan.jsonl')).run();
    } finally {
      screen.endProgress();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Receipts under way at once: a long one takes some ten megabytes. */
const AT_ONCE = 12;

/** What repairing has come to. */
interface RepairCounts {
  receipts: number;
  /** Receipts that somebody was writing: they were left alone. */
  busy: number;
  /** Lines and words that are NONE now. */
  to_none: number;
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #ports: VerifyPorts;
  readonly #screen: Screen;
  /** The receipts to repair, a line each: they may be as many as there are. */
  readonly #plan: string;
  readonly #signal: AbortSignal;
  #last: ReceiptIdentity | undefined;

  constructor(options: VerifyOptions, ports: VerifyPorts, screen: Screen, plan: string) {
    this.#options = options;
    this.#ports = ports;
    this.#screen = screen;
    this.#plan = plan;
    this.#signal = signalOf(ports.stop);
  }

  async run(): Promise<number> {
    const { stop } = this.#ports;
    const outputs = await stop.orResult(() => findStackOutputs(this.#options.stack, this.#ports));
    const region = stackRegion(outputs);
    const bucket = requireOutput(outputs, 'chromadb_bucket_name');
    const table = {
      client: this.#ports.dynamodb(region),
      name: requireOutput(outputs, 'dynamodb_table_name'),
    };
    const s3 = this.#ports.s3(region);
    const stores = await stop.orResult(() => this.#ports.openStores(outputs));
    const [first] = stores;
    if (first === undefined) throw new WrongArgument('The stack has no store to compare with.');
    const reading: ReadingPorts = {
      ...{ table, stores, model: first.model, now: this.#ports.now },
      log: new VectorLog({ s3, bucket, temporaryFolder: this.#ports.temporaryFolder }),
    };
    const { full, sample, after } = this.#options;
    const seed = full ? undefined : (this.#options.seed ?? randomBytes(4).toString('hex'));
    const counts: VerifyCounts = {
      ...{ receipts: 0, gone: 0, unknown_deltas: 0, invalid: 0 },
      ...{ compared: 0, busy: 0, differing: 0 },
    };
    const findings = new Findings();
    const listing = { table, deltas: { s3, bucket } };
    const listed =
      seed === undefined
        ? everyReceipt(after, counts, listing)
        : sampledReceipts(sample, seed, counts, listing);
    await this.#stoppable(() => this.#compare(listed, reading, counts, findings));
    this.#screen.endProgress();
    this.#screen.line(comparedLine(counts, seed));
    this.#screen.lines(findingLines(findings.data));
    const answer = { ...counts, seed: seed ?? null, found: findings.data };
    if (!this.#options.repair || findings.total === 0) {
      return this.#end(answer, findings.total === 0);
    }
    if (!(await this.#isConfirmed(counts))) {
      this.#screen.line('Nothing was changed.');
      return this.#end(answer, false);
    }
    const repaired: RepairCounts = { receipts: 0, busy: 0, to_none: 0 };
    const left = new Findings();
    try {
      await stop.orResult(() => this.#repair(reading, counts, repaired, left));
    } catch (error) {
      this.#screen.endProgress();
      this.#screen.line('It ended in the middle. The same command does what is left.');
      throw error;
    }
    this.#screen.endProgress();
    this.#sayRepaired(repaired, left.data);
    const good = left.total + repaired.busy === 0;
    return this.#end({ ...answer, repaired, left: left.data }, good);
  }

  async #compare(
    listed: AsyncIterable<ListedReceipt>,
    reading: ReadingPorts,
    counts: VerifyCounts,
    findings: Findings,
  ): Promise<void> {
    await writeFile(this.#plan, '');
    const since = performance.now();
    const checked = iterateSettled(
      listed,
      async (one) => {
        this.#signal.throwIfAborted();
        return { one, checked: await checkReceipt(one, reading) };
      },
      { atOnce: AT_ONCE },
    );
    for await (const { one, checked: receipt } of checked) {
      counts.compared++;
      if (receipt.busy) counts.busy++;
      findings.add(receipt);
      if (isToRepair(receipt)) {
        counts.differing++;
        await appendFile(this.#plan, `${JSON.stringify(one)}\n`);
      }
      this.#last = one.receipt;
      this.#progress('compared', counts.compared, since);
    }
  }

  /** Each is looked at again first: somebody may have repaired it meanwhile. */
  async #repair(
    reading: ReadingPorts,
    { differing }: VerifyCounts,
    repaired: RepairCounts,
    left: Findings,
  ): Promise<void> {
    const since = performance.now();
    const lines = createInterface({ input: createReadStream(this.#plan) });
    const outcomes = iterateSettled(
      lines,
      async (line) => {
        this.#signal.throwIfAborted();
        const one = JSON.parse(line) as ListedReceipt;
        const before = await checkReceipt(one, reading);
        if (before.busy) return { to_none: 0, after: before };
        const { to_none } = isToRepair(before)
          ? await repairReceipt(before, reading)
          : { to_none: 0 };
        return { to_none, after: await checkReceipt(one, reading) };
      },
      { atOnce: AT_ONCE },
    );
    for await (const { to_none, after } of outcomes) {
      if (after.busy) repaired.busy++;
      else repaired.receipts++;
      repaired.to_none += to_none;
      left.add(after);
      this.#progress(`of ${count(differing)} repaired`, repaired.receipts + repaired.busy, since);
    }
  }

  #progress(what: string, done: number, since: number): void {
    const seconds = Math.max(1, (performance.now() - since) / 1_000);
    const rate = (done / seconds).toFixed(1);
    // How many there are is not known: without a terminal, a line for the first, the tenth, the hundredth …
    const share = Math.log10(done) / 10;
    this.#screen.progress(`${count(done)} ${what}, ${rate} receipts a second`, share);
  }

  /** Says how to go on where it is stopped. */
  async #stoppable(work: () => Promise<void>): Promise<void> {
    try {
      await this.#ports.stop.orResult(work);
    } catch (error) {
      this.#screen.endProgress();
      if (this.#options.full && this.#last !== undefined) {
        this.#screen.line(
          `It ended in the middle. To go on there: --full --after '${receiptPath(this.#last)}'`,
        );
      }
      throw error;
    }
  }

  async #isConfirmed({ differing }: VerifyCounts): Promise<boolean> {
    if (this.#options.yes) return true;
    const question = `Repair ${quantity(differing, 'receipt')} from the log? What it does not have becomes NONE.`;
    const unasked =
      'Nothing was changed: there is no terminal to ask at. With --yes it does not ask, without --repair it changes nothing.';
    return await isWanted({ question, unasked }, this.#ports);
  }

  #sayRepaired({ receipts, busy, to_none }: RepairCounts, left: readonly FoundKind[]): void {
    this.#screen.line(`Repaired ${quantity(receipts, 'receipt')}. What differs still:`);
    this.#screen.lines(findingLines(left));
    if (busy > 0) {
      this.#screen.line(
        `${quantity(busy, 'receipt was', 'receipts were')} left alone, because an execution is writing there. Run it again after 16 minutes.`,
      );
    }
    if (to_none === 0) return;
    const { stack } = this.#options;
    const option = stack === undefined ? '' : ` --stack ${stack}`;
    this.#screen.line(
      `${quantity(to_none, 'line or word is', 'lines and words are')} NONE now, because the log has no vector for what they say. To embed them:`,
    );
    this.#screen.line(`  npx receipts execute realtime --filter NONE${option}`);
  }

  #end(answer: object, good: boolean): number {
    if (this.#options.json) this.#ports.out.write(`${JSON.stringify(answer)}\n`);
    return good ? EXIT.done : EXIT.failed;
  }
}

function isToRepair({ differences }: CheckedReceipt): boolean {
  return differences.some(({ kind }) => !isInformation(kind));
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeUpAgain } from 'receipt-embedding/table/batch_retries';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import type { Table } from 'receipt-embedding/table/table';
import { WrongArgument } from '../command_line/arguments.ts';
import { EXIT, exitStatusOf, signalOf, type CommandPorts } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { isWanted, terminalQuestion } from '../command_line/question.ts';
import { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { ClaimOwners } from '../table/return_to_none.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import type { ArrivalClients } from './failed_arrivals.ts';
import { type ParsedRedo, parseRedo, type TargetRequest, UNASKED } from './options.ts';
import {
  carryOut,
  findTarget,
  makePlan,
  plannedEntities,
  type RedoOutcome,
  type RedoPlan,
  type Target,
} from './plan.ts';
import { describeRequest, nextCommands, outcomeLines, planLines } from './report.ts';

export interface RedoPorts extends CommandPorts {
  /** Asks a person; undefined where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** An existing folder for the plan; nothing is left there. */
  readonly temporaryFolder: string;
  /** @default clients of the stack's region */
  readonly arrivalClients?: ArrivalClients;
}

/** `receipts redo`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await redo(argv, {
    ...processPorts(),
    temporaryFolder: tmpdir(),
    confirm: terminalQuestion(),
  });
}

/** Returns what failed to NONE. @returns the exit status. */
export async function redo(argv: readonly string[], ports: RedoPorts): Promise<number> {
  return await exitStatusOf('Returning what failed to NONE', ports.messages, async () => {
    const parsed = parseRedo(argv, ports);
    const folder = await mkdtemp(join(ports.temporaryFolder, 'redo-'));
    try {
      return await new Redo(parsed, ports).run(join(folder, 'plan.jsonl'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

class Redo {
  readonly #parsed: ParsedRedo;
  readonly #ports: RedoPorts;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;

  constructor(parsed: ParsedRedo, ports: RedoPorts) {
    this.#parsed = parsed;
    this.#ports = ports;
    this.#screen = new Screen(parsed.options.json ? ports.messages : ports.out);
    this.#signal = signalOf(ports.stop);
  }

  /** @param file where the plan may be kept. */
  async run(file: string): Promise<number> {
    try {
      return await this.#run(file);
    } finally {
      this.#screen.endProgress();
    }
  }

  async #run(file: string): Promise<number> {
    const { options, request } = this.#parsed;
    const { stop } = this.#ports;
    const outputs = await stop.orResult(() => findStackOutputs(options.stack, this.#ports));
    const table: Table = {
      client: this.#ports.dynamodb(stackRegion(outputs)),
      name: requireOutput(outputs, 'dynamodb_table_name'),
    };
    this.#screen.line(`Table ${table.name}: ${describeRequest(request)}`);
    if (request.what === 'arrivals') {
      // Loaded only here: two clients more.
      const { redoArrivals } = await import('./redo_arrivals.ts');
      return await redoArrivals(options, { outputs, table }, this.#ports);
    }
    const { plan, unended } = await stop.orResult(() => this.#plan(request, table, file));

    if (unended !== undefined) return await this.#takeUp(table, plan, unended);
    if (plan.total === 0 || options.dryRun) return this.#end(plan);
    if (!options.yes) {
      const question = `Return ${quantity(plan.total, 'row')} to NONE?`;
      if (!(await isWanted({ question, unasked: UNASKED }, this.#ports))) {
        this.#screen.line('Nothing was changed.');
        this.#writeJson(plan);
        return EXIT.failed;
      }
    }
    const outcome = await this.#carryOut(table, plan);
    const next = nextCommands(options.stack);
    return this.#end(plan, outcome, next);
  }

  async #plan(
    request: TargetRequest,
    table: Table,
    file: string,
  ): Promise<{ readonly plan: RedoPlan; readonly unended: Target['unended'] }> {
    const signal = this.#signal;
    const target = await findTarget(request, { table, now: this.#ports.now, signal });
    const plan = await makePlan(target.entities, {
      owners: new ClaimOwners(table, SILENT_LOGGER),
      file,
      onProgress: (found) => {
        this.#screen.progress(`${count(found)} found so far`, 0);
      },
    });
    this.#screen.endProgress();
    if (target.note !== undefined) this.#screen.line(target.note);
    if (target.unended === undefined) this.#screen.lines(planLines(plan));
    return { plan, unended: target.unended };
  }

  /** Lets the next poll try a batch again that rests after a failure, or is parked. It may be done again, and takes nothing away. */
  async #takeUp(table: Table, plan: RedoPlan, { batch_id }: BatchSummary): Promise<number> {
    const { dryRun, stack } = this.#parsed.options;
    if (dryRun) {
      this.#screen.line('A dry run: nothing was changed.');
      this.#writeJson(plan);
      return EXIT.done;
    }
    if (!(await takeUpAgain(table, batch_id))) {
      throw new WrongArgument(`The batch ${batch_id} has ended meanwhile: run the command again.`);
    }
    const next = [
      `npx receipts execute batch-poll${stack === undefined ? '' : ` --stack ${stack}`}`,
    ];
    this.#screen.line('The next poll takes it up again:');
    for (const command of next) this.#screen.line(`  ${command}`);
    this.#writeJson(plan, undefined, next);
    return EXIT.done;
  }

  async #carryOut(table: Table, plan: RedoPlan): Promise<RedoOutcome> {
    try {
      const outcome = await carryOut(plannedEntities(plan), {
        table,
        owners: new ClaimOwners(table, SILENT_LOGGER),
        signal: this.#signal,
        onProgress: (done) => {
          this.#screen.progress(`${count(done)} of ${count(plan.total)}`, done / plan.total);
        },
      });
      this.#screen.endProgress();
      this.#screen.lines(outcomeLines(outcome, plan.total));
      return outcome;
    } catch (error) {
      this.#screen.endProgress();
      this.#screen.line('It ended in the middle. The same command does what is left.');
      throw error;
    }
  }

  #end(plan: RedoPlan, outcome?: RedoOutcome, next: readonly string[] = []): number {
    if (outcome?.finished === true && outcome.lines + outcome.words > 0) {
      this.#screen.line('To do them again:');
      for (const command of next) this.#screen.line(`  ${command}`);
    } else if (outcome === undefined && plan.total > 0) {
      this.#screen.line('A dry run: nothing was changed.');
    }
    this.#writeJson(plan, outcome, next);
    return outcome?.finished === false ? EXIT.interrupted : EXIT.done;
  }

  #writeJson(plan: RedoPlan, outcome?: RedoOutcome, next: readonly string[] = []): void {
    const { request, options } = this.#parsed;
    if (!options.json) return;
    const { total, counts, examples, not_embeddable, live_claims } = plan;
    const planned = { total, ...counts, examples, not_embeddable, live_claims };
    const answer = { ...request, planned, done: outcome ?? null, next };
    this.#ports.out.write(`${JSON.stringify(answer)}\n`);
  }
}

import { Command } from 'commander';
import { ASSUMPTIONS } from 'receipts-cli/estimate/assumptions';
import { arrivalCosts, idleArrivalsCost } from 'receipts-cli/estimate/arrival_costs';
import { PRICES_AS_OF, PRICES_REGION } from 'receipts-cli/estimate/costs';
import { columns, count, dollars } from 'receipts-cli/command_line/text';
import { settingsSchema } from '../components/settings.ts';
import { type ArrivalsResult, simulateArrivals } from './arrivals/arrivals_run.ts';
import { print } from './figures.ts';

/**
 * Receipts arrive at random over hours of simulated time, with `embed_on_arrival`. The product's own functions note what changes and start executions; the
 * stream, the queue, Lambda's pollers and the workflow between them are simulated, in a time that does not pass.
 */

interface Options {
  readonly receipts?: number;
  readonly hours?: number;
  readonly burst: boolean;
  readonly seed: string;
  readonly shards: number;
  readonly quiet: number;
  readonly receiptSeconds: number;
  readonly beginningSeconds: number;
}

const DEFAULTS = settingsSchema.parse({});
const { receipts, hours, burst, ...options } = new Command('npm run bench:arrivals --')
  .description(
    'Receipts arrive at random over simulated hours, change later, and are embedded by themselves: what that takes, costs, and how soon each is searchable.',
  )
  .option('--receipts <N>', 'how many receipts arrive (10,000; with --burst 1,000)', Number)
  .option('--hours <N>', 'within how many simulated hours (8; with --burst one minute)', Number)
  .option('--burst', 'all of them within a minute, and no change later', false)
  .option('--seed <TEXT>', 'another seed, other receipts at other times', '1')
  .option('--shards <N>', "shards of the table's stream", Number, 4)
  .option(
    '--quiet <SECONDS>',
    'the setting arrival_quiet_seconds',
    Number,
    DEFAULTS.arrival_quiet_seconds,
  )
  .option('--receipt-seconds <N>', 'how long an execution takes for a receipt', Number, 2)
  .option('--beginning-seconds <N>', 'how long it takes before the first one', Number, 3)
  .parse()
  .opts<Options>();

const of = { receipts: receipts ?? (burst ? 1_000 : 10_000), hours: hours ?? (burst ? 1 / 60 : 8) };
const started = performance.now();
const result = await simulateArrivals({
  receipts: of.receipts,
  seconds: of.hours * 3_600,
  later: !burst,
  seed: options.seed,
  shards: options.shards,
  quietSeconds: options.quiet,
  receiptSeconds: options.receiptSeconds,
  beginningSeconds: options.beginningSeconds,
  upToDateSeconds: 0.5,
  maxConcurrency: DEFAULTS.max_concurrency,
});
print(
  `${count(of.receipts)} receipts within ${of.hours < 1 ? `${count(of.hours * 60)} min` : `${of.hours} h`}, ` +
    `${count(result.changes.length - of.receipts)} changes of them later; ${options.shards} shards, ` +
    `${options.quiet} s quiet, ${options.receiptSeconds} s a receipt, ${DEFAULTS.max_concurrency} at a time`,
);
for (const lines of [figures(result), latencies(result), costs(result)]) {
  print('');
  for (const line of columns(lines)) print(`  ${line}`);
}
print('\n  A receipt that changes again before it is quiet waits for that change, too.');
print(
  `\n${count(Math.round(result.seconds))} simulated seconds in ${((performance.now() - started) / 1_000).toFixed(1)} s`,
);
for (const problem of result.problems) print(`  WRONG: ${problem}`);
process.exitCode = result.problems.length === 0 ? 0 : 1;

function figures({
  records,
  noteInvocations,
  startInvocations,
  executions,
  ...rest
}: ArrivalsResult): string[][] {
  const taken = executions.reduce((sum, each) => sum + each, 0);
  return [
    ['records of users', count(records.users)],
    ['records of our own status writes', count(records.own)],
    ['note_arrivals, by users’ records', count(noteInvocations.users)],
    ['note_arrivals, by our own records alone', count(noteInvocations.own)],
    ['notes written', count(rest.work.notes_written)],
    ['messages', count(rest.messages)],
    ['start_arrivals, starting executions', count(startInvocations.started)],
    ['start_arrivals, of receipts that wait on', count(startInvocations.waiting)],
    ['executions', count(executions.length)],
    [
      'receipts an execution',
      `${(taken / Math.max(1, executions.length)).toFixed(1)}, at most ${count(Math.max(0, ...executions))}`,
    ],
    ['receipts taken up', count(taken)],
    ['embedded', count(rest.embedded)],
    ['found up to date, as the run before had the change', count(rest.vain)],
    ['of these: embedded twice at the same moment', count(rest.boughtTwice)],
  ];
}

/** From the last row of a change to when the stores have it. */
function latencies({ changes }: ArrivalsResult): string[][] {
  const kinds = ['arrival', 'labels', 'edit', 'delete'] as const;
  const rows = kinds.flatMap((kind) => {
    const seconds = changes
      .filter((change) => change.kind === kind)
      .map(({ searchableAfter = Infinity }) => searchableAfter)
      .sort((a, b) => a - b);
    const at = (share: number): string =>
      `${(seconds[Math.min(seconds.length - 1, Math.floor(share * seconds.length))] ?? 0).toFixed(0)} s`;
    return seconds.length === 0 ? [] : [[kind, count(seconds.length), at(0.5), at(0.99), at(1)]];
  });
  return [['searchable after its last row', 'changes', 'median', '99 %', 'longest'], ...rows];
}

function costs({ work }: ArrivalsResult): string[][] {
  const { total, ...parts } = arrivalCosts(work, ASSUMPTIONS);
  return [
    [`beside embedding, ${PRICES_AS_OF}, ${PRICES_REGION}`, 'together', 'a thousand receipts'],
    ...Object.entries({ ...parts, total }).map(([part, usd]) => [
      part.replace('total', 'together'),
      dollars(usd),
      dollars((usd * 1_000) / of.receipts),
    ]),
    ['polls of the queue, a month', dollars(idleArrivalsCost()), ''],
  ];
}

import { Command } from 'commander';
import { describePlan } from './chaos/describe_plan.ts';
import { runChaos, startChaosStack } from './chaos/chaos_run.ts';
import { print } from './figures.ts';

/**
 * Everything at once: realtime, submissions, polls and redo, on receipts that are edited and deleted meanwhile, while functions
 * are killed, answers of AWS (S3 Vectors among it), OpenAI, Pinecone and Lambda are cut and lost, and indexes lag. Then all of that ends, and what
 * must hold is checked.
 *
 * A seed decides all of the plan. Functions run in threads, so what meets what is not the same each time: a problem comes back
 * in some of the runs of its seed.
 */
const options = new Command('npm run bench:chaos --')
  .description(
    'Runs both paths and redo at once under faults and edits, and checks what must hold.',
  )
  .option('--seeds <N>', 'how many seeds', Number, 20)
  .option('--first <N>', 'the first seed', Number, 1)
  .option('--plan', 'print the plan of each seed', false)
  .parse()
  .opts<{ readonly seeds: number; readonly first: number; readonly plan: boolean }>();

/** A stack's seeds; a stack on which something did not hold gets no other. */
const SEEDS_OF_A_STACK = 20;

let bad = 0;
let stack = await startChaosStack();
let used = 0;
for (let seed = options.first; seed < options.first + options.seeds; seed++) {
  if (used === SEEDS_OF_A_STACK) {
    await stack.close();
    stack = await startChaosStack();
    used = 0;
  }
  const before = process.cpuUsage();
  const { plan, problems, evidence, account } = await runChaos(stack, seed);
  used = problems.length === 0 ? used + 1 : SEEDS_OF_A_STACK;
  const { user, system } = process.cpuUsage(before);
  const cpu = ((user + system) / 1e6).toFixed(1);
  const figures = Object.entries(account).map(([name, count]) => `${count} ${name}`);
  print(
    `seed ${seed}: ${problems.length === 0 ? 'holds' : 'DOES NOT HOLD'} (${figures.join(', ')}, ${cpu} s of CPU)`,
  );
  if (problems.length > 0 || options.plan)
    for (const line of describePlan(plan)) print(`  ${line}`);
  for (const problem of problems) print(`  WRONG: ${problem}`);
  for (const line of evidence) print(`  evidence: ${line}`);
  if (problems.length > 0) bad++;
}
await stack.close();
const { user, system } = process.cpuUsage();
const seconds = (user + system) / 1e6 / Math.max(1, options.seeds);
print(`${bad} of ${options.seeds} seeds do not hold; ${seconds.toFixed(1)} s of CPU a seed`);
process.exitCode = bad === 0 ? 0 : 1;

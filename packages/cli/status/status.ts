import type { SFNClient } from '@aws-sdk/client-sfn';
import {
  type CommandHelp,
  JSON_OPTION,
  newCommand,
  parseArguments,
  STACK_OPTION,
  wholeNumber,
} from '../command_line/arguments.ts';
import { type CommandPorts, EXIT, exitStatusOf, signalOf } from '../command_line/command.ts';
import {
  findStackOutputs,
  isLocal,
  requireOutput,
  type StackOutputs,
  stackRegion,
} from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { duration } from '../command_line/text.ts';
import { createSfnClient } from '../executions/start_execution.ts';
import { systemTiming, type Timing } from '../executions/watch_execution.ts';
import type { OpenedStore } from '../stores/stack_stores.ts';
import {
  batchesSection,
  entitiesSection,
  executionsSection,
  runsSection,
  type Section,
  type SectionPorts,
  storesSection,
} from './sections.ts';

interface StatusPorts extends CommandPorts {
  /** Between two looks of --watch. @default the system's */
  readonly timing?: Pick<Timing, 'sleep'>;
  readonly sfn: (region: string | undefined) => SFNClient;
  /** Asked only with --stores. */
  readonly openStores: (outputs: StackOutputs) => Promise<Pick<OpenedStore, 'name' | 'identity'>[]>;
  readonly openQueues: SectionPorts['openQueues'];
}

/** `receipts status`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await status(argv, {
    ...processPorts(),
    sfn: createSfnClient,
    // Loaded only with --stores: the stores' clients take longer to load than all else.
    openStores: async (outputs) => {
      const { openStackStores } = await import('../stores/stack_stores.ts');
      return await openStackStores(outputs);
    },
    openQueues: openStackQueues,
  });
}

// Both are loaded only for a stack that has queues.
async function loadedArrivalsSection(ports: SectionPorts): Promise<Section> {
  const { arrivalsSection } = await import('./arrivals.ts');
  return await arrivalsSection(ports);
}

export async function openStackQueues(
  outputs: StackOutputs,
): ReturnType<SectionPorts['openQueues']> {
  const { createSqsClient } = await import('receipt-embedding/arrivals/arrival_queue');
  return createSqsClient(stackRegion(outputs));
}

/** Shows how far a stack is. @returns the exit status. */
export async function status(argv: readonly string[], ports: StatusPorts): Promise<number> {
  return await exitStatusOf("Reading the stack's state", ports.messages, async () => {
    const options = parseStatusOptions(argv, ports);
    const screen = new Screen(options.json ? ports.messages : ports.out);
    const progress = new LateProgress(screen, ports.now);
    try {
      await ports.stop.orResult(() =>
        options.watch === undefined
          ? showOnce(options, ports, screen, progress)
          : showAgainAndAgain(options, ports, screen),
      );
      return EXIT.done;
    } finally {
      progress.end();
    }
  });
}

/** Each section is shown as soon as it is read: the last ones may take minutes. */
async function showOnce(
  options: StatusOptions,
  ports: StatusPorts,
  screen: Screen,
  progress: LateProgress,
): Promise<void> {
  const stack = await openStack(options, ports);
  const show = (text: string, share: number): void => {
    progress.show(text, share);
  };
  const answer = await readSections(options, stack, ports, show, (lines) => {
    progress.end();
    if (!options.json) screen.lines(lines);
  });
  if (options.json) ports.out.write(`${JSON.stringify(answer)}\n`);
}

/** A local stack answers at once, and costs nothing. */
const LOCAL_WATCH_SECONDS = 2;
const WATCH_SECONDS = 60;

/** Until Ctrl-C: on a terminal each in the place of the one before. */
async function showAgainAndAgain(
  options: StatusOptions,
  ports: StatusPorts,
  screen: Screen,
): Promise<never> {
  const stack = await openStack(options, ports);
  const usual = isLocal(stack.outputs) ? LOCAL_WATCH_SECONDS : WATCH_SECONDS;
  const seconds = options.watch === true ? usual : (options.watch ?? usual);
  for (;;) {
    const page: string[] = [];
    const answer = await readSections(
      options,
      stack,
      ports,
      () => undefined,
      (lines) => {
        page.push(...lines);
      },
    );
    if (options.json) ports.out.write(`${JSON.stringify(answer)}\n`);
    else screen.page([...page, '', `Again every ${duration(seconds)}. Ctrl-C ends it.`]);
    await (ports.timing ?? systemTiming).sleep(1_000 * seconds);
  }
}

interface OpenedStack {
  readonly outputs: StackOutputs;
  readonly name: string;
  readonly table: SectionPorts['table'];
  readonly sfn: SFNClient;
}

async function openStack({ stack }: StatusOptions, ports: StatusPorts): Promise<OpenedStack> {
  const outputs = await findStackOutputs(stack, ports);
  const name = requireOutput(outputs, 'dynamodb_table_name');
  const region = stackRegion(outputs);
  return {
    outputs,
    name,
    table: { client: ports.dynamodb(region), name },
    sfn: ports.sfn(region),
  };
}

/** @returns what `--json` prints. */
async function readSections(
  options: StatusOptions,
  { name, ...stack }: OpenedStack,
  ports: StatusPorts,
  onProgress: SectionPorts['onProgress'],
  onLines: (lines: readonly string[]) => void,
): Promise<Readonly<Record<string, unknown>>> {
  const now = ports.now();
  const sectionPorts: SectionPorts = {
    ...stack,
    openStores: ports.openStores,
    openQueues: ports.openQueues,
    now,
    signal: signalOf(ports.stop),
    onProgress,
  };
  const answer: Record<string, unknown> = { table: name, at: now.toISOString() };
  onLines([`Table ${name}, ${now.toISOString()}`]);
  for (const [key, read] of Object.entries(sectionsOf(options, stack.outputs))) {
    const { data, lines } = await read(sectionPorts);
    answer[key] = data;
    onLines(['', ...lines]);
  }
  return answer;
}

function sectionsOf(
  { executions, entities, stores }: StatusOptions,
  outputs: StackOutputs,
): Record<string, (ports: SectionPorts) => Promise<Section>> {
  return {
    executions: (ports) => executionsSection(ports, executions),
    ...(outputs.arrivals_queue_url === undefined ? {} : { arrivals: loadedArrivalsSection }),
    batches: batchesSection,
    runs: runsSection,
    ...(entities ? { entities: entitiesSection } : {}),
    ...(stores ? { stores: storesSection } : {}),
  };
}

interface StatusOptions {
  readonly stack?: string;
  /** Whether lines and words are counted. */
  readonly entities: boolean;
  /** Whether it is counted what each store lacks. */
  readonly stores: boolean;
  /** Of each workflow. */
  readonly executions: number;
  /** Seconds between two looks; true: as often as is usual for the stack. */
  readonly watch?: number | true;
  readonly json: boolean;
}

const HELP: CommandHelp = {
  about:
    'Shows how far a stack is: its lines and words by embedding status, its batches by state and age, its runs by ' +
    'compaction state, what has arrived and waits, and the last executions of each workflow.',
  examples: [
    ['--stack dev', 'all of it'],
    ['--no-entities --executions 20', 'quick, with more executions'],
    ['--no-entities --stores', 'how many receipts each store lacks'],
    ['--watch --no-entities', 'executions, batches and runs, as they change'],
    ['--json', 'for programs'],
  ],
  notes: `What it reads, and what that costs: batches and executions are a few requests. Lines, words and
runs are counted through the table's index GSI1, which DynamoDB reads whole for it, the lines and
words 16 parts at a time: a million of them, of 1 kB each, are about 125,000 read request units,
some cents, and take about a minute; --no-entities leaves the lines and words out. Nothing is
changed. With --watch every look costs as much again. Rows that change meanwhile may be counted twice or not at all.

--stores counts, for each store of the stack, the receipts of which it lacks something, and those
that have something in it to settle: vectors to remove, or what a writer has left who died. It reads
every record of a receipt: a million of them, of 1.5 kB each, are about 190,000 read request units,
some cents, and take about a minute. It needs lambda:GetFunctionConfiguration of search_receipts,
the secrets of the stores, and asks the stores themselves nothing but who they are.

The child executions of a workflow's Map are no executions of the workflow, and not shown: the
workflow's summary counts how they ended.`,
  exitCodes: { 0: 'shown', 1: 'AWS refused what it was asked' },
};

const DEFAULT_EXECUTIONS = 5;

/** @throws CommandLineEnd */
function parseStatusOptions(argv: readonly string[], ports: CommandPorts): StatusOptions {
  const command = newCommand('status', HELP)
    .option(...STACK_OPTION)
    .option('--no-entities', 'leave out the lines and words: the only part that may take long')
    .option('--stores', 'how many receipts each store lacks: reads every record', false)
    .option(
      '--executions <N>',
      'how many executions of each workflow, newest first',
      wholeNumber(1, 100),
      DEFAULT_EXECUTIONS,
    )
    .option(
      '--watch [SECONDS]',
      `show it again and again (default: every ${LOCAL_WATCH_SECONDS} s of a local stack, every ${WATCH_SECONDS} s of another)`,
      wholeNumber(1, 3_600),
    )
    .option(...JSON_OPTION);
  parseArguments(command, argv, ports);
  return command.opts<StatusOptions>();
}

/** What takes less than this needs no progress. */
const SHOWN_AFTER_MS = 1_000;

/** Progress that is not shown for what is done at once. */
class LateProgress {
  readonly #screen: Screen;
  readonly #now: () => Date;
  #since: number | undefined;

  constructor(screen: Screen, now: () => Date) {
    this.#screen = screen;
    this.#now = now;
  }

  show(text: string, share: number): void {
    const now = this.#now().getTime();
    this.#since ??= now;
    if (now - this.#since >= SHOWN_AFTER_MS) this.#screen.progress(text, share);
  }

  end(): void {
    this.#screen.clearProgress();
    this.#since = undefined;
  }
}

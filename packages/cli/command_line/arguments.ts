import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { imageIdSchema, ordinalSchema } from 'receipt-embedding/entities/keys';
import { wrapped } from './fitting.ts';
import { Screen, type ScreenOutput } from './screen.ts';

/** Thrown for arguments that can't be carried out here; exit status 2. */
export class WrongArgument extends Error {
  override readonly name = 'WrongArgument';
}

/** Thrown for arguments that are wrong, after what is wrong was printed; and for `--help`, with exit status 0. */
export class CommandLineEnd extends Error {
  override readonly name = 'CommandLineEnd';
  readonly exitStatus: number;

  constructor(exitStatus: number) {
    super('the command line ends the program');
    this.exitStatus = exitStatus;
  }
}

/** What `--help` of a command says, its options aside. */
export interface CommandHelp {
  readonly about: string;
  /** Arguments behind the command's name, and what they do. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** What is worth knowing before the command is used: paragraphs, which are laid out anew for the terminal. */
  readonly notes?: string;
  /** What each exit code means. @default 2, 3 and 130 mean the same for every command */
  readonly exitCodes: Readonly<Record<number, string>>;
}

const EXIT_CODES: CommandHelp['exitCodes'] = {
  2: 'wrong arguments, or no such stack',
  3: "AWS can't be asked (credentials, permissions, network)",
  130: 'stopped with Ctrl-C',
};

/** Of a help text where there is no terminal; commander's own. */
const HELP_COLUMNS = 80;

export const HELP_OPTION = ['-h, --help', 'this text'] as const;

/** The stack that every command takes by the same option. */
export const STACK_OPTION = [
  '--stack <NAME>',
  "the Pulumi stack (default: the one of `npm start -- --serve` in this folder or above, else Pulumi's selected one)",
] as const;

export const JSON_OPTION = [
  '--json',
  'one JSON object on stdout, and nothing else there',
  false,
] as const;

/**
 * A command of `receipts`, without options yet.
 *
 * @example
 * const command = newCommand('status', { about: 'Shows …', examples: [['--json', 'for programs']], exitCodes: { 0: 'shown' } });
 * parseArguments(command.option('--json', 'as JSON', false), argv, { out: process.stdout, messages: process.stderr });
 */
export function newCommand(
  name: string,
  { about, examples, notes, exitCodes }: CommandHelp,
): Command {
  const command = `receipts ${name}`;
  const columns = Math.min(process.stdout.columns || HELP_COLUMNS, 100);
  const help = [
    'Examples:',
    ...examples.flatMap(([args, what]) => [
      ...wrapped(`  # ${what}`, columns, 4),
      `  npx ${command} ${args}`.trimEnd(),
    ]),
    '',
    ...(notes === undefined ? [] : paragraphs(notes, columns)),
    'Exit codes:',
    ...Object.entries({ ...EXIT_CODES, ...exitCodes }).flatMap(([code, meaning]) =>
      wrapped(`  ${code.padStart(3)}  ${meaning}`, columns, 7),
    ),
  ];
  return new Command(command)
    .description(about)
    .helpOption(...HELP_OPTION)
    .addHelpText('after', `\n${help.join('\n')}`)
    .allowExcessArguments(false)
    .showHelpAfterError(`(npx ${command} --help lists all options)`);
}

function paragraphs(notes: string, columns: number): string[] {
  return notes
    .split(/\n\n+/)
    .flatMap((text) => [...wrapped(text.replaceAll(/\s+/g, ' '), columns), '']);
}

/**
 * Parses the arguments behind a command's name. Options that npm has kept for itself are an error.
 *
 * @throws CommandLineEnd
 */
export function parseArguments(
  command: Command,
  argv: readonly string[],
  output: { readonly out: ScreenOutput; readonly messages: ScreenOutput },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const settings = {
    writeOut: (text: string) => output.out.write(text),
    writeErr: (text: string) => {
      new Screen(output.messages).lines(text.replace(/\n$/, '').split('\n'));
    },
  };
  for (const one of [command, ...command.commands]) one.configureOutput(settings).exitOverride();
  refuseKeptByNpm(command, argv, environment);
  endingCommandLine(() => command.parse(argv, { from: 'user' }));
}

/** Options that npm has too: a user's .npmrc may set them. */
const OF_NPM = new Set(['dryRun', 'force', 'json', 'yes']);

/** `npm run execute realtime --limit 3` gives `--limit 3` to npm, which says so only in the script's environment. */
function refuseKeptByNpm(
  command: Command,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const script = environment['npm_lifecycle_event'];
  if (script === undefined) return;
  const kept = command.options.flatMap((option) => {
    const name = option.attributeName();
    const variable = `npm_config_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    const long = option.long ?? '';
    const isKept = environment[variable] !== undefined && !OF_NPM.has(name);
    return isKept && !argv.includes(long) ? [long] : [];
  });
  if (kept.length === 0) return;
  const names = kept.join(' and ');
  const run = script === 'start' ? 'npm start' : `npm run ${script}`;
  refuseArguments(
    command,
    `npm has kept ${names} for itself. Put -- before the arguments: ${run} -- …`,
  );
}

/**
 * Says what is wrong with arguments that are right each for itself.
 *
 * @throws CommandLineEnd always.
 */
export function refuseArguments(command: Command, problem: string): never {
  return endingCommandLine(() => command.error(`error: ${problem}`));
}

function endingCommandLine<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof CommanderError) throw new CommandLineEnd(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

/** Parses an option's whole number, `low` and `high` included. */
export function wholeNumber(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(
        high === Number.MAX_SAFE_INTEGER
          ? `It must be a whole number from ${low}.`
          : `It must be a whole number from ${low} to ${high}.`,
      );
    }
    return value;
  };
}

/** Parses an argument that is an image's id. */
export function imageId(text: string): string {
  if (!imageIdSchema.safeParse(text).success) {
    throw new InvalidArgumentError('It must be a UUID of version 4 or 5.');
  }
  return text;
}

/** Parses an argument that is a receipt's number. */
export function receiptNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !ordinalSchema.safeParse(value).success) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 99999.');
  }
  return value;
}

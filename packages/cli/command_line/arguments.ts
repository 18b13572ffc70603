import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** Thrown for arguments that are wrong, after what is wrong was printed; and for `--help`, with exit status 0. */
export class CommandLineEnd extends Error {
  override readonly name = 'CommandLineEnd';
  readonly exitStatus: number;

  constructor(exitStatus: number) {
    super('the command line ends the program');
    this.exitStatus = exitStatus;
  }
}

/**
 * Parses the arguments behind the program's name.
 *
 * @throws CommandLineEnd
 */
export function parseArguments(command: Command, argv: readonly string[]): void {
  endingCommandLine(() => command.exitOverride().parse(argv, { from: 'user' }));
}

/**
 * Says what is wrong with arguments that are right each for itself.
 *
 * @throws CommandLineEnd always.
 */
export function refuseArguments(command: Command, problem: string): never {
  return endingCommandLine(() => command.exitOverride().error(`error: ${problem}`));
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

/** Thrown for arguments that can't be carried out here; exit status 2. */
export class WrongArgument extends Error {
  override readonly name = 'WrongArgument';
}

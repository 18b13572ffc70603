import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Timing } from '../watch_execution.ts';

/** A request as the script sees it: `DescribeExecution`, and its members. */
export type ScriptedAnswers = Readonly<
  Record<string, (input: Readonly<Record<string, unknown>>) => unknown>
>;

/** Step Functions that answers from a script; what the script does not know is an error. And what it was asked. */
export function scriptedSfn(answers: ScriptedAnswers): {
  readonly sfn: SFNClient;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const send = (command: {
    readonly constructor: { readonly name: string };
    readonly input: Readonly<Record<string, unknown>>;
  }): Promise<unknown> => {
    const operation = command.constructor.name.replace(/Command$/, '');
    asked.push(operation);
    const answer = answers[operation];
    return answer === undefined
      ? Promise.reject(new Error(`nobody expects ${operation}`))
      : new Promise((resolve) => {
          resolve(answer(command.input));
        });
  };
  return { sfn: { send } as unknown as SFNClient, asked };
}

/** A clock that only moves when somebody sleeps, and then at once; and what was slept, milliseconds. */
export class VirtualTiming implements Timing {
  readonly sleeps: number[] = [];
  #now = 0;

  readonly now = (): number => this.#now;

  readonly sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    this.sleeps.push(milliseconds);
    this.#now += milliseconds;
    await Promise.resolve();
    signal?.throwIfAborted();
  };
}

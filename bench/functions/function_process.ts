import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import type { FunctionConfiguration } from 'embedded-aws/lambda/lambda_stand_in';
import type { Answer, Call } from './function_protocol.ts';

/** A function in a process of its own, with the heap that Lambda's runtime gives to Node. */
export class FunctionProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;
  #dead = false;

  /** @param program the bundled `function_program.ts`. */
  constructor(
    program: string,
    { handlerFile, exportName, memorySize }: FunctionConfiguration,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#child = fork(program, [pathToFileURL(handlerFile).href, exportName], {
      env: environment,
      execArgv: heapOptions(memorySize),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.once('exit', () => {
      this.#dead = true;
    });
    this.#ready = this.#nextMessage();
  }

  /** Calls the handler. One call at a time. @throws Error when the process ends instead of answering. */
  async invoke(call: Call): Promise<Answer> {
    await this.#ready;
    const answer = this.#nextMessage();
    this.#child.send(call);
    return (await answer) as Answer;
  }

  async close(): Promise<void> {
    if (this.#dead) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #nextMessage(): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]: unknown[]) => message),
        once(this.#child, 'exit', { signal }).then(([code, killedBy]: unknown[]) => {
          throw new Error(`the function's process ended: ${String(killedBy ?? code)}`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }
}

/** As Lambda's runtime starts Node: a tenth of the memory for what is young, the rest for what is old. */
function heapOptions(memorySize: number): string[] {
  const young = Math.floor(memorySize / 10);
  return [
    `--max-semi-space-size=${Math.floor(young / 2)}`,
    `--max-old-space-size=${memorySize - young}`,
  ];
}

import { parseJson } from '../http/json_text.ts';
import type { InvocationAnswer, StepFunctionsPorts } from '../step_functions/ports.ts';
import type { LambdaStandIn } from './lambda_stand_in.ts';

/** An invocation as another service asks for it. */
export interface ObservedInvocation {
  readonly functionName: string;
  readonly payload: unknown;
  /** The stream or queue whose mapping asks; undefined when Step Functions does. */
  readonly eventSourceArn: string | undefined;
}

/** Lambda's answer to an event source mapping. */
export type Delivery = InvocationAnswer & {
  /** @see InvocationFault */
  readonly redeliver?: number;
};

/** What Step Functions or an event source mapping gets instead of an answer. */
export type InvocationFault =
  /** Lambda refuses it with this error (`TooManyRequestsException`, …), and the function does not run. */
  | { readonly refuse: string }
  /**
   * The function runs to its end, and its answer is lost (`SdkClientException`): `at once`, so that a retry runs beside it, or
   * `at the end`.
   */
  | { readonly loseAnswer: 'at once' | 'at the end' }
  /**
   * Of event source mappings: the batch is done, but its mapping does not remember it. A stream is read again from so many records before
   * the batch, as after an earlier checkpoint: 0 delivers the batch twice, more bring older records after newer ones. A queue's
   * messages are visible again at once. With `times` only: it would go on for ever.
   */
  | { readonly redeliver: number };

export type InvocationFaultRule = InvocationFault & {
  /** The invocations for which this answers true only. It is not asked when an older rule strikes. */
  readonly when: (invocation: ObservedInvocation) => boolean;
  /** @default every one, until the rule is removed */
  readonly times?: number;
};

/** How Step Functions and event source mappings invoke functions: as Lambda's API answers it, with faults on demand. */
export class Invocations {
  readonly #lambda: LambdaStandIn;
  readonly #running = new Set<ObservedInvocation>();
  #rules: { readonly rule: InvocationFaultRule; remaining: number }[] = [];

  constructor(lambda: LambdaStandIn) {
    this.#lambda = lambda;
  }

  /** Those that have not ended, whether anybody waits for them or not. */
  get running(): ReadonlySet<ObservedInvocation> {
    return this.#running;
  }

  /** Makes invocations fail; of the rules that match, the oldest strikes. @returns removes the rule. */
  fault(rule: InvocationFaultRule): () => void {
    const entry = { rule, remaining: rule.times ?? Infinity };
    this.#rules.push(entry);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== entry);
    };
  }

  /** For Step Functions. */
  readonly invoke: StepFunctionsPorts['invokeLambda'] = (functionArn, payload) =>
    this.#invoke(functionArn, payload, undefined);

  /** For a mapping of this stream or queue. */
  deliver(functionArn: string, eventSourceArn: string, event: object): Promise<Delivery> {
    return this.#invoke(functionArn, event, eventSourceArn);
  }

  async #invoke(
    functionArn: string,
    payload: unknown,
    eventSourceArn: string | undefined,
  ): Promise<Delivery> {
    const configuration = this.#lambda.find(functionArn);
    if (configuration === undefined) {
      throw lambdaError('ResourceNotFoundException', `Function not found: ${functionArn}`);
    }
    const { functionName } = configuration;
    const invocation = { functionName, payload, eventSourceArn };
    const struck = this.#rules.find(
      ({ rule, remaining }) =>
        remaining > 0 &&
        (eventSourceArn !== undefined || !('redeliver' in rule)) &&
        rule.when(invocation),
    );
    if (struck !== undefined) struck.remaining--;
    const fault = struck?.rule;
    if (fault !== undefined && 'refuse' in fault) throw lambdaError(fault.refuse, 'refused');
    this.#running.add(invocation);
    const answer = this.#lambda
      .invoke(configuration, JSON.stringify(payload))
      .finally(() => this.#running.delete(invocation));
    if (fault !== undefined && 'loseAnswer' in fault) {
      const ended = answer.then(
        () => undefined,
        () => undefined,
      );
      if (fault.loseAnswer === 'at the end') await ended;
      throw lambdaError('SdkClientException', 'Unable to execute HTTP request: Read timed out');
    }
    const { payload: result, error } = await answer;
    if (error !== undefined) return { payload: error, functionError: 'Unhandled' };
    const redeliver = fault === undefined ? {} : { redeliver: fault.redeliver };
    return { payload: parsedResult(result), ...redeliver };
  }
}

/** What a function has answered, which its state works on. @throws as Lambda's own failures, for what is nested too deep. */
function parsedResult(result: string): unknown {
  try {
    return parseJson(result);
  } catch (error) {
    throw lambdaError(
      'Unknown',
      `The function's answer can't be read: ${(error as Error).message}`,
    );
  }
}

function lambdaError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name: `Lambda.${name}` });
}

import type { Expression, JsonPath } from '../data/expression.ts';
import type { JsonValue } from '../data/json_value.ts';

/** A block of states, ready to run any number of times: paths and templates are compiled. */
export interface Block {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly TimeoutSeconds?: number;
}

export type State = TaskState | PassState | SucceedState | FailState | ChoiceState | MapState;

interface CommonFields {
  readonly Next?: string;
  /** null: the state sees `{}`. */
  readonly InputPath?: Expression | null;
  readonly OutputPath?: Expression | null;
  readonly Parameters?: Expression;
  readonly ResultSelector?: Expression;
  /** null drops the result. */
  readonly ResultPath?: JsonPath | null;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'NONE' | 'FULL';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly ResultPath?: JsonPath | null;
}

/** What a task may call: Lambda, or Step Functions itself by its SDK integration. */
export type TaskResource =
  'arn:aws:states:::lambda:invoke' | 'arn:aws:states:::aws-sdk:sfn:listMapRuns';

export interface TaskState extends CommonFields {
  readonly Type: 'Task';
  readonly Resource: TaskResource;
  readonly TimeoutSeconds?: number;
}

interface PassState extends CommonFields {
  readonly Type: 'Pass';
  readonly Result?: JsonValue;
}

interface SucceedState extends CommonFields {
  readonly Type: 'Succeed';
}

export interface FailState extends CommonFields {
  readonly Type: 'Fail';
  readonly Error?: string;
  readonly ErrorPath?: Expression;
  readonly Cause?: string;
  readonly CausePath?: Expression;
}

export interface ChoiceState extends CommonFields {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
}

export interface ChoiceRule {
  readonly Variable: Expression;
  readonly IsPresent?: true;
  readonly NumericEquals?: number;
  readonly NumericGreaterThan?: number;
  readonly StringEquals?: string;
  readonly Next: string;
}

export interface MapState extends CommonFields {
  readonly Type: 'Map';
  readonly ItemProcessor: Block & {
    readonly ProcessorConfig?: {
      readonly Mode?: 'INLINE' | 'DISTRIBUTED';
      readonly ExecutionType?: 'STANDARD' | 'EXPRESS';
    };
  };
  readonly ItemsPath?: Expression;
  readonly ItemSelector?: Expression;
  readonly MaxConcurrency?: number;
  readonly Label?: string;
  readonly ToleratedFailurePercentage?: number;
  readonly ToleratedFailureCount?: number;
  readonly ItemReader?: { readonly Parameters: Expression };
  readonly ResultWriter?: { readonly Parameters: Expression };
}

import type { JsonObject, JsonValue } from '../data/json_value.ts';

/** The part of the Amazon States Language that runs here; definition_check.ts refuses the rest. */
export interface AslBlock {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, AslState>>;
  readonly TimeoutSeconds?: number;
}

export interface ItemProcessor extends AslBlock {
  readonly ProcessorConfig?: {
    readonly Mode?: 'INLINE' | 'DISTRIBUTED';
    readonly ExecutionType?: 'STANDARD' | 'EXPRESS';
  };
}

interface CommonFields {
  readonly Next?: string;
  readonly End?: boolean;
  readonly InputPath?: string | null;
  readonly OutputPath?: string | null;
  readonly Parameters?: JsonValue;
  readonly ResultSelector?: JsonObject;
  readonly ResultPath?: string | null;
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
  readonly ResultPath?: string | null;
}

export interface TaskState extends CommonFields {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly TimeoutSeconds?: number;
}

export interface PassState extends CommonFields {
  readonly Type: 'Pass';
  readonly Result?: JsonValue;
}

export interface WaitState extends CommonFields {
  readonly Type: 'Wait';
  readonly Seconds?: number;
  readonly SecondsPath?: string;
  readonly Timestamp?: string;
  readonly TimestampPath?: string;
}

export interface SucceedState extends CommonFields {
  readonly Type: 'Succeed';
}

export interface FailState extends CommonFields {
  readonly Type: 'Fail';
  readonly Error?: string;
  readonly ErrorPath?: string;
  readonly Cause?: string;
  readonly CausePath?: string;
}

export interface ChoiceState extends CommonFields {
  readonly Type: 'Choice';
  readonly Choices: readonly JsonObject[];
  readonly Default?: string;
}

export interface ParallelState extends CommonFields {
  readonly Type: 'Parallel';
  readonly Branches: readonly AslBlock[];
}

export interface MapState extends CommonFields {
  readonly Type: 'Map';
  readonly ItemProcessor: ItemProcessor;
  readonly ItemsPath?: string;
  readonly ItemSelector?: JsonValue;
  readonly MaxConcurrency?: number;
  readonly MaxConcurrencyPath?: string;
  readonly Label?: string;
  readonly ItemReader?: ItemReader;
  readonly ResultWriter?: ResultWriter;
  readonly ToleratedFailurePercentage?: number;
  readonly ToleratedFailurePercentagePath?: string;
  readonly ToleratedFailureCount?: number;
  readonly ToleratedFailureCountPath?: string;
}

export interface ItemReader {
  readonly Resource: string;
  readonly Parameters: JsonObject;
  readonly ReaderConfig: {
    readonly InputType: 'JSON' | 'JSONL';
    readonly MaxItems?: number;
    readonly MaxItemsPath?: string;
  };
}

export interface ResultWriter {
  readonly Resource: string;
  readonly Parameters: JsonObject;
  readonly WriterConfig?: WriterConfig;
}

export interface WriterConfig {
  readonly Transformation?: 'NONE' | 'COMPACT' | 'FLATTEN';
  readonly OutputType?: 'JSON' | 'JSONL';
}

export type AslState =
  | TaskState
  | PassState
  | WaitState
  | SucceedState
  | FailState
  | ChoiceState
  | ParallelState
  | MapState;

export function isDistributed(state: MapState): boolean {
  return state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED';
}

import { lambdaInvokeResource } from '../arns.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../data/json_value.ts';
import { choiceRuleProblems } from './choice_rules.ts';
import {
  type AslBlock,
  type AslState,
  type ChoiceState,
  type FailState,
  isDistributed,
  type ItemProcessor,
  type MapState,
  type ParallelState,
  type TaskState,
} from './definition.ts';
import {
  expressionProblems,
  pathProblems,
  resultPathProblems,
  templateProblems,
} from './template_check.ts';

const blockFields = ['Comment', 'StartAt', 'States', 'QueryLanguage'];
const commonFields = ['Type', 'Comment', 'QueryLanguage'];
const flowFields = [...commonFields, 'Next', 'End', 'InputPath', 'OutputPath'];
const taskFields = [...flowFields, 'Parameters', 'ResultSelector', 'ResultPath', 'Retry', 'Catch'];

const inlineMapFields = [
  ...flowFields,
  'ResultSelector',
  'ResultPath',
  'Retry',
  'Catch',
  'ItemProcessor',
  'ItemsPath',
  'ItemSelector',
  'MaxConcurrency',
  'MaxConcurrencyPath',
];

const distributedMapFields = [
  ...inlineMapFields,
  'Label',
  'ItemReader',
  'ResultWriter',
  'ToleratedFailurePercentage',
  'ToleratedFailurePercentagePath',
  'ToleratedFailureCount',
  'ToleratedFailureCountPath',
];

const stateFields: Readonly<Record<Exclude<AslState['Type'], 'Map'>, readonly string[]>> = {
  Task: [...taskFields, 'Resource', 'TimeoutSeconds'],
  Pass: [...flowFields, 'Parameters', 'Result', 'ResultPath'],
  Wait: [...flowFields, 'Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'],
  Succeed: [...commonFields, 'InputPath', 'OutputPath'],
  Fail: [...commonFields, 'Error', 'ErrorPath', 'Cause', 'CausePath'],
  Choice: [...commonFields, 'InputPath', 'OutputPath', 'Choices', 'Default'],
  Parallel: [...taskFields, 'Branches'],
};

const retrierFields = [
  'Comment',
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
];

/**
 * What of a valid definition can't run here, one sentence each with the place it is at: better refused
 * than silently left out.
 *
 * @param definition has passed asl-validator.
 */
export function definitionProblems(definition: object): string[] {
  return blockProblems(definition as AslBlock, '', ['TimeoutSeconds', 'Version']);
}

function blockProblems(block: AslBlock, where: string, moreFields: readonly string[]): string[] {
  return [
    ...unsupportedFields(block, [...blockFields, ...moreFields], where),
    ...queryLanguageProblems(block, where),
    ...Object.entries(block.States).flatMap(([name, state]) =>
      stateProblems(state, `${where}/States/${name}`),
    ),
  ];
}

function stateProblems(state: AslState, where: string): string[] {
  const fields =
    state.Type !== 'Map'
      ? stateFields[state.Type]
      : 'ItemProcessor' in state && isDistributed(state)
        ? distributedMapFields
        : inlineMapFields;
  const unsupported = [
    ...unsupportedFields(state, fields, where),
    ...queryLanguageProblems(state, where),
  ];
  // What follows reads the fields by their meaning, which only those that are supported have.
  if (unsupported.length > 0) return unsupported;
  return [
    ...pathProblems(state.InputPath, `${where}/InputPath`),
    ...pathProblems(state.OutputPath, `${where}/OutputPath`),
    ...resultPathProblems(state.ResultPath, `${where}/ResultPath`),
    ...templateProblems(state.Parameters, `${where}/Parameters`),
    ...templateProblems(state.ResultSelector, `${where}/ResultSelector`),
    ...errorHandlingProblems(state, where),
    ...typeProblems(state, where),
  ];
}

function typeProblems(state: AslState, where: string): string[] {
  switch (state.Type) {
    case 'Task':
      return taskProblems(state, where);
    case 'Wait':
      return [
        ...pathProblems(state.SecondsPath, `${where}/SecondsPath`),
        ...pathProblems(state.TimestampPath, `${where}/TimestampPath`),
      ];
    case 'Fail':
      return failProblems(state, where);
    case 'Choice':
      return choiceProblems(state, where);
    case 'Parallel':
      return parallelProblems(state, where);
    case 'Map':
      return mapProblems(state, where);
    case 'Pass':
    case 'Succeed':
      return [];
  }
}

function taskProblems(state: TaskState, where: string): string[] {
  if (/^arn:aws:lambda:[^:]+:\d{12}:function:[^:]+(:[^:]+)?$/.test(state.Resource)) return [];
  if (state.Resource !== lambdaInvokeResource) {
    return [
      `${where}/Resource ${state.Resource} is not supported: it must be a Lambda function's ARN or ${lambdaInvokeResource}`,
    ];
  }
  const parameters = isJsonObject(state.Parameters) ? state.Parameters : {};
  return [
    ...('FunctionName' in parameters || 'FunctionName.$' in parameters
      ? []
      : [`${where}/Parameters must have FunctionName`]),
    ...unsupportedFields(
      parameters,
      ['FunctionName', 'FunctionName.$', 'Payload', 'Payload.$'],
      `${where}/Parameters`,
    ),
  ];
}

function failProblems(state: FailState, where: string): string[] {
  return [
    ...(state.ErrorPath === undefined
      ? []
      : expressionProblems(state.ErrorPath, `${where}/ErrorPath`)),
    ...(state.CausePath === undefined
      ? []
      : expressionProblems(state.CausePath, `${where}/CausePath`)),
  ];
}

function choiceProblems(state: ChoiceState, where: string): string[] {
  return state.Choices.flatMap((rule, index) =>
    choiceRuleProblems(rule, `${where}/Choices/${index}`),
  );
}

function parallelProblems(state: ParallelState, where: string): string[] {
  return state.Branches.flatMap((branch, index) =>
    blockProblems(branch, `${where}/Branches/${index}`, []),
  );
}

function mapProblems(state: MapState, where: string): string[] {
  return [
    ...pathProblems(state.ItemsPath, `${where}/ItemsPath`),
    ...pathProblems(state.MaxConcurrencyPath, `${where}/MaxConcurrencyPath`),
    ...pathProblems(
      state.ToleratedFailurePercentagePath,
      `${where}/ToleratedFailurePercentagePath`,
    ),
    ...pathProblems(state.ToleratedFailureCountPath, `${where}/ToleratedFailureCountPath`),
    ...templateProblems(state.ItemSelector, `${where}/ItemSelector`),
    ...readerProblems(state, `${where}/ItemReader`),
    ...writerProblems(state, `${where}/ResultWriter`),
    ...processorProblems(state.ItemProcessor, `${where}/ItemProcessor`),
  ];
}

function processorProblems(processor: ItemProcessor, where: string): string[] {
  const config = processor.ProcessorConfig;
  const needsType = config?.Mode === 'DISTRIBUTED' && config.ExecutionType === undefined;
  return [
    ...(needsType ? [`${where}/ProcessorConfig must have ExecutionType`] : []),
    ...blockProblems(processor, where, ['ProcessorConfig']),
  ];
}

function readerProblems(state: MapState, where: string): string[] {
  const reader = state.ItemReader;
  if (reader === undefined) return [];
  const config: object = reader.ReaderConfig;
  return [
    ...unsupportedFields(reader, ['Resource', 'Parameters', 'ReaderConfig'], where),
    ...(reader.Resource === 'arn:aws:states:::s3:getObject'
      ? []
      : [`${where}/Resource ${reader.Resource} is not supported: s3:getObject is`]),
    ...unsupportedFields(
      config,
      ['InputType', 'MaxItems', 'MaxItemsPath'],
      `${where}/ReaderConfig`,
    ),
    ...('InputType' in config && (config.InputType === 'JSON' || config.InputType === 'JSONL')
      ? []
      : [`${where}/ReaderConfig/InputType must be JSON or JSONL`]),
    ...pathProblems(reader.ReaderConfig.MaxItemsPath, `${where}/ReaderConfig/MaxItemsPath`),
    ...templateProblems(reader.Parameters, `${where}/Parameters`),
  ];
}

function writerProblems(state: MapState, where: string): string[] {
  const writer = state.ResultWriter;
  if (writer === undefined) return [];
  return [
    ...unsupportedFields(writer, ['Resource', 'Parameters', 'WriterConfig'], where),
    ...('Resource' in writer && writer.Resource === 'arn:aws:states:::s3:putObject'
      ? []
      : [`${where}/Resource must be arn:aws:states:::s3:putObject`]),
    ...('Parameters' in writer ? [] : [`${where} must have Parameters`]),
    ...unsupportedFields(
      writer.WriterConfig ?? {},
      ['Transformation', 'OutputType'],
      `${where}/WriterConfig`,
    ),
    ...templateProblems(writer.Parameters, `${where}/Parameters`),
  ];
}

function errorHandlingProblems(state: AslState, where: string): string[] {
  return [
    ...(state.Retry ?? []).flatMap((retrier, index) =>
      unsupportedFields(retrier, retrierFields, `${where}/Retry/${index}`),
    ),
    ...(state.Catch ?? []).flatMap((catcher, index) => [
      ...unsupportedFields(
        catcher,
        ['Comment', 'ErrorEquals', 'Next', 'ResultPath'],
        `${where}/Catch/${index}`,
      ),
      ...resultPathProblems(catcher.ResultPath, `${where}/Catch/${index}/ResultPath`),
    ]),
  ];
}

function queryLanguageProblems(holder: object, where: string): string[] {
  const language: unknown = 'QueryLanguage' in holder ? holder.QueryLanguage : undefined;
  return language === undefined || language === 'JSONPath'
    ? []
    : [`${where}/QueryLanguage is not supported: JSONPath is`];
}

function unsupportedFields(
  holder: object | JsonObject | JsonValue,
  supported: readonly string[],
  where: string,
): string[] {
  return Object.keys(holder ?? {})
    .filter((field) => !supported.includes(field))
    .map((field) => `${where}/${field} is not supported`);
}

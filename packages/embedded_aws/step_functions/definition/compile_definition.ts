import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { compileExpression, compileTemplate, JsonPath } from '../data/expression.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../data/json_value.ts';
import type { Block, State, TaskResource } from './definition.ts';

/** What CreateStateMachine answers to a definition that is wrong or that can't run here. */
export class InvalidDefinition extends Error {
  override readonly name = 'InvalidDefinition';

  constructor(problems: string) {
    super(`Invalid State Machine Definition: '${problems}'`);
  }
}

type Validator = (
  definition: object,
  options: { readonly checkPaths: boolean; readonly checkArn: boolean },
) => { readonly isValid: boolean; readonly errorsText: (separator: string) => string };

// The package is CommonJS without type declarations.
const validate = createRequire(import.meta.url)('asl-validator') as Validator;

/** Definitions that were compiled before, by their JSON: asl-validator takes a tenth of a second for each. */
const compiled = new Map<string, Block>();

/**
 * Compiles a definition in the Amazon States Language, with JSONPath.
 *
 * @throws InvalidDefinition with every problem that asl-validator finds, or with the first state and field that is
 *   correct and not supported here.
 */
export function compileDefinition(definition: object): Block {
  const text = JSON.stringify(definition);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  // The validator writes defaults into what it is given.
  const copy = JSON.parse(text) as object;
  const answer = validate(copy, { checkPaths: true, checkArn: true });
  if (!answer.isValid) throw new InvalidDefinition(answer.errorsText('\n'));
  const block = record({ ...blockFields, TimeoutSeconds: asIs })(
    JSON.parse(text) as JsonObject,
    '',
  ) as Block;
  compiled.set(text, block);
  return block;
}

/** Compiles a field's value; `where` is its place, `/States/{name}/{field}`. */
type Field = (value: JsonValue, where: string) => unknown;
type Fields = Readonly<Record<string, Field>>;

const asIs: Field = (value) => value;
const template: Field = (value) => compileTemplate(value);
const expression: Field = (value, where) => compileExpression(value, nameOf(where));
const path: Field = (value, where) => (value === null ? null : expression(value, where));

const resultPath: Field = (value, where) => {
  if (value === null) return null;
  const parsed = new JsonPath(typeof value === 'string' ? value : '');
  if (parsed.isContext) throw new SyntaxError(`${nameOf(where)} must lie in the state's data`);
  return parsed;
};

function plain(...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, asIs]));
}

/** @returns a field that has one supported value. */
function only(supported: JsonValue): Field {
  return (value) => {
    if (isDeepStrictEqual(value, supported)) return value;
    throw new SyntaxError(
      `${JSON.stringify(value)} is not supported: ${JSON.stringify(supported)} is`,
    );
  };
}

/** @returns a field that is an object of these fields, `required` ones among them. */
function record(fields: Fields, required: readonly string[] = []): Field {
  return (value, where) => {
    const holder = isJsonObject(value) ? value : {};
    const entries = Object.entries(holder).map(([name, inner]) => {
      const place = `${where}/${name}`;
      const field = fields[name];
      if (field === undefined) throw new InvalidDefinition(`${place} is not supported`);
      return [name, located(field, inner, place)] as const;
    });
    const missing = required.find((name) => !(name in holder));
    if (missing !== undefined) throw new InvalidDefinition(`${where}/${missing} is missing`);
    return Object.fromEntries(entries);
  };
}

function list(item: Field): Field {
  return (value, where) =>
    (Array.isArray(value) ? value : []).map((inner, index) => item(inner, `${where}/${index}`));
}

function located(field: Field, value: JsonValue, where: string): unknown {
  try {
    return field(value, where);
  } catch (error) {
    if (error instanceof SyntaxError) throw new InvalidDefinition(`${where}: ${error.message}`);
    throw error;
  }
}

function nameOf(where: string): string {
  return where.slice(where.lastIndexOf('/') + 1);
}

const common: Fields = { ...plain('Type', 'Comment'), InputPath: path, OutputPath: path };
const flow: Fields = { ...common, ...plain('Next', 'End'), ResultPath: resultPath };
const errors: Fields = {
  Retry: list(
    record(
      plain(
        'ErrorEquals',
        'IntervalSeconds',
        'MaxAttempts',
        'BackoffRate',
        'MaxDelaySeconds',
        'JitterStrategy',
      ),
    ),
  ),
  Catch: list(record({ ...plain('ErrorEquals', 'Next'), ResultPath: resultPath })),
};

const inlineMap: Fields = {
  ...flow,
  ...errors,
  ResultSelector: template,
  ItemsPath: path,
  ItemSelector: template,
  MaxConcurrency: asIs,
  ItemProcessor: (value, where) =>
    record({ ...blockFields, ProcessorConfig: record(plain('Mode', 'ExecutionType')) })(
      value,
      where,
    ),
};

const distributedMap: Fields = {
  ...inlineMap,
  Label: asIs,
  ToleratedFailurePercentage: asIs,
  ToleratedFailureCount: asIs,
  ItemReader: record({
    Resource: only('arn:aws:states:::s3:getObject'),
    ReaderConfig: only({ InputType: 'JSONL' }),
    Parameters: template,
  }),
  ResultWriter: record(
    {
      Resource: only('arn:aws:states:::s3:putObject'),
      WriterConfig: only({ Transformation: 'COMPACT', OutputType: 'JSONL' }),
      Parameters: template,
    },
    ['WriterConfig', 'Parameters'],
  ),
};

/** What a task may call, and the parameters that are supported of it. */
const taskParameters: Readonly<Record<TaskResource, Field>> = {
  'arn:aws:states:::lambda:invoke': record(
    plain('FunctionName', 'FunctionName.$', 'Payload', 'Payload.$'),
  ),
  'arn:aws:states:::aws-sdk:sfn:listMapRuns': record(plain('ExecutionArn', 'ExecutionArn.$')),
};

const taskFields = (resource: TaskResource): Fields => ({
  ...flow,
  ...errors,
  Resource: asIs,
  Parameters: (value, where) => {
    taskParameters[resource](value, where);
    return compileTemplate(value);
  },
  ResultSelector: template,
  TimeoutSeconds: asIs,
});

const choiceRule = record(
  {
    ...plain('NumericEquals', 'NumericGreaterThan', 'StringEquals', 'Next'),
    IsPresent: only(true),
    Variable: expression,
  },
  ['Variable'],
);

const stateFields: Readonly<Record<Exclude<State['Type'], 'Map' | 'Task'>, Fields>> = {
  Pass: { ...flow, Parameters: template, Result: asIs },
  Succeed: common,
  Fail: {
    ...plain('Type', 'Comment', 'Error', 'Cause'),
    ErrorPath: expression,
    CausePath: expression,
  },
  Choice: { ...common, Choices: list(choiceRule), Default: asIs },
};

const stateField: Field = (value, where) => {
  const { Type: type, ItemProcessor: processor } = value as JsonObject;
  if (type === 'Map') {
    const { ProcessorConfig: config } = isJsonObject(processor) ? processor : {};
    const isDistributed = isJsonObject(config) && config['Mode'] === 'DISTRIBUTED';
    return record(isDistributed ? distributedMap : inlineMap, ['ItemProcessor'])(value, where);
  }
  if (type === 'Task') {
    const { Resource: resource } = value as JsonObject;
    if (typeof resource !== 'string' || !Object.hasOwn(taskParameters, resource)) {
      const supported = Object.keys(taskParameters).join(' and ');
      throw new InvalidDefinition(
        `${where}/Resource: ${JSON.stringify(resource)} is not supported: ${supported} are`,
      );
    }
    return record(taskFields(resource as TaskResource))(value, where);
  }
  const fields = stateFields[type as keyof typeof stateFields] as Fields | undefined;
  if (fields !== undefined) return record(fields)(value, where);
  throw new InvalidDefinition(`${where}/Type: ${JSON.stringify(type)} states are not supported`);
};

const blockFields: Fields = {
  ...plain('Comment', 'StartAt', 'Version'),
  QueryLanguage: only('JSONPath'),
  States: (value, where) =>
    Object.fromEntries(
      Object.entries(value as JsonObject).map(([name, inner]) => [
        name,
        stateField(inner, `${where}/${name}`),
      ]),
    ),
};

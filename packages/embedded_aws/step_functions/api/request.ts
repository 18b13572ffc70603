import { JsonTooDeep, parseJson } from '../../http/json_text.ts';
import {
  isJsonObject,
  isWithinPayloadLimit,
  type JsonValue,
  MAX_PAYLOAD_BYTES,
} from '../data/json_value.ts';

const MAX_NAME_LENGTH = 80;
const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;

// White space, brackets, wildcards, special and control characters (API reference of StartExecution).
const FORBIDDEN_IN_NAMES = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u;

const ARN_PATTERNS = {
  stateMachine: /^arn:aws:states:[a-z0-9-]+:\d{12}:stateMachine:[^:]+$/,
  execution: /^arn:aws:states:[a-z0-9-]+:\d{12}:(execution:[^:]+:[^:]+|express:[^:]+:[^:]+:[^:]+)$/,
  mapRun: /^arn:aws:states:[a-z0-9-]+:\d{12}:mapRun:[^:/]+\/[^:]+:[^:]+$/,
};

type ArnKind = keyof typeof ARN_PATTERNS;

/** An error of the Step Functions API: its type is what clients switch on. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** The body of a request, read member by member with AWS's own answers to what is wrong. */
export class ApiRequest {
  readonly #body: Readonly<Record<string, unknown>>;

  /** @throws ApiError SerializationException */
  constructor(body: Buffer) {
    this.#body = parseBody(body);
  }

  /** @param maxLength in characters */
  optionalText(member: string, maxLength = Infinity): string | undefined {
    const value = this.#body[member] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw wrongType(member, 'a string');
    if (value.length > maxLength) {
      const constraint = `Member must have length less than or equal to ${maxLength}`;
      throw invalidMember(member, value, constraint);
    }
    return value;
  }

  /** @throws ApiError InvalidArn, ValidationException when it is missing */
  arn(member: string, kind: ArnKind): string {
    const arn = this.optionalArn(member, kind);
    if (arn === undefined) throw invalidMember(member, null, 'Member must not be null');
    return arn;
  }

  optionalArn(member: string, kind: ArnKind): string | undefined {
    const arn = this.optionalText(member);
    if (arn === undefined || ARN_PATTERNS[kind].test(arn)) return arn;
    const problem = arn.startsWith('arn:')
      ? 'Resource type not valid in this context'
      : 'Invalid ARN prefix';
    throw new ApiError('InvalidArn', `Invalid Arn: '${problem}: ${arn}'`);
  }

  flag(member: string, otherwise: boolean): boolean {
    const value = this.#body[member] ?? otherwise;
    if (typeof value !== 'boolean') throw wrongType(member, 'a boolean');
    return value;
  }

  oneOf(member: string, values: readonly string[]): string | undefined {
    const value = this.optionalText(member);
    if (value === undefined || values.includes(value)) return value;
    const constraint = `Member must satisfy enum value set: [${values.join(', ')}]`;
    throw invalidMember(member, value, constraint);
  }

  /**
   * One page of a list, as `maxResults` and `nextToken` ask for it.
   *
   * @param items oldest first: entries are only ever added at the end, so that a place stays what it is while the list grows.
   * @param newestFirst the order of the answer.
   * @throws ApiError InvalidToken
   */
  page<T>(
    items: readonly T[],
    newestFirst: boolean,
  ): { readonly items: readonly T[]; readonly nextToken: { readonly nextToken?: string } } {
    const size = this.#pageSize();
    const step = newestFirst ? -1 : 1;
    const start = this.#place() ?? (newestFirst ? items.length - 1 : 0);
    const places = Array.from({ length: size }, (_, offset) => start + step * offset);
    const next = start + step * size;
    return {
      items: places.filter((place) => place >= 0).flatMap((place) => items.slice(place, place + 1)),
      nextToken:
        next >= 0 && next < items.length
          ? { nextToken: Buffer.from(`place:${next}`).toString('base64') }
          : {},
    };
  }

  #place(): number | undefined {
    const token = this.optionalText('nextToken');
    if (token === undefined) return undefined;
    const place = /^place:(\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1];
    if (place === undefined) throw new ApiError('InvalidToken', `Invalid Token: '${token}'`);
    return Number(place);
  }

  #pageSize(): number {
    const value = this.#body['maxResults'] ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw wrongType('maxResults', 'an integer');
    }
    if (value < 0 || value > MAX_PAGE_SIZE) {
      const bound =
        value < 0 ? 'greater than or equal to 0' : `less than or equal to ${MAX_PAGE_SIZE}`;
      throw invalidMember('maxResults', String(value), `Member must have value ${bound}`);
    }
    // 0 is AWS's way of asking for the default.
    return value === 0 ? DEFAULT_PAGE_SIZE : value;
  }
}

/** @throws ApiError InvalidName for a name that holds what a name must not. */
export function requireName(name: string): void {
  if (name.length > MAX_NAME_LENGTH) {
    const constraint = `Member must have length less than or equal to ${MAX_NAME_LENGTH}`;
    throw invalidMember('name', name, constraint);
  }
  if (name === '' || FORBIDDEN_IN_NAMES.test(name)) {
    throw new ApiError('InvalidName', `Invalid Name: '${name}'`);
  }
}

/** @throws ApiError InvalidExecutionInput for what is no JSON or too large. */
export function parseExecutionInput(text: string): JsonValue {
  if (!isWithinPayloadLimit(text)) {
    throw invalidInput(`the input is larger than ${MAX_PAYLOAD_BYTES} bytes`);
  }
  try {
    return parseJson(text) as JsonValue;
  } catch (error) {
    throw invalidInput(error instanceof Error ? error.message : String(error));
  }
}

function parseBody(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(body.length === 0 ? '{}' : body.toString());
  } catch (error) {
    const problem =
      error instanceof JsonTooDeep ? error.message : 'The request body is not valid JSON';
    throw new ApiError('SerializationException', problem);
  }
  if (isJsonObject(value)) return value;
  throw new ApiError('SerializationException', 'The request body must be a JSON object');
}

/** @param constraint what the member must do, as AWS words it: "Member must not be null", … */
function invalidMember(member: string, value: string | null, constraint: string): ApiError {
  const shown = value === null ? 'Value null' : `Value '${value}'`;
  return new ApiError(
    'ValidationException',
    `1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

function wrongType(member: string, expected: string): ApiError {
  return new ApiError('SerializationException', `Member '${member}' must be ${expected}`);
}

function invalidInput(reason: string): ApiError {
  return new ApiError(
    'InvalidExecutionInput',
    `Invalid State Machine Execution Input: '${reason}'`,
  );
}

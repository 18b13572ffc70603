import { type ArnKind, isArnOf } from '../arns.ts';
import { defaultPageSize, maxPageSize } from '../execution/limits.ts';
import { ApiError, invalidMember } from './api_error.ts';

/** The body of a request, read member by member with AWS's own answers to what is wrong. */
export class RequestMembers {
  readonly #body: Readonly<Record<string, unknown>>;

  constructor(body: Readonly<Record<string, unknown>>) {
    this.#body = body;
  }

  /** @param maxLength in characters */
  optionalText(member: string, maxLength = Infinity): string | undefined {
    const value = this.#body[member];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw this.#wrongType(member, 'a string');
    if (value.length > maxLength) {
      throw invalidMember(
        member,
        value,
        `Member must have length less than or equal to ${maxLength}`,
      );
    }
    return value;
  }

  requiredText(member: string): string {
    const value = this.optionalText(member);
    if (value === undefined) throw invalidMember(member, null, 'Member must not be null');
    return value;
  }

  arn(member: string, kind: ArnKind): string {
    return checkedArn(this.requiredText(member), kind);
  }

  optionalArn(member: string, kind: ArnKind): string | undefined {
    const value = this.optionalText(member);
    return value === undefined ? undefined : checkedArn(value, kind);
  }

  flag(member: string, otherwise: boolean): boolean {
    const value = this.#body[member];
    if (value === undefined || value === null) return otherwise;
    if (typeof value !== 'boolean') throw this.#wrongType(member, 'a boolean');
    return value;
  }

  oneOf(member: string, values: readonly string[]): string | undefined {
    const value = this.optionalText(member);
    if (value === undefined || values.includes(value)) return value;
    throw invalidMember(
      member,
      value,
      `Member must satisfy enum value set: [${values.join(', ')}]`,
    );
  }

  /** `maxResults`: 0 is AWS's way of asking for the default. */
  pageSize(): number {
    const value = this.#body['maxResults'] ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw this.#wrongType('maxResults', 'an integer');
    }
    if (value < 0 || value > maxPageSize) {
      const bound =
        value < 0 ? 'greater than or equal to 0' : `less than or equal to ${maxPageSize}`;
      throw invalidMember('maxResults', String(value), `Member must have value ${bound}`);
    }
    return value === 0 ? defaultPageSize : value;
  }

  #wrongType(member: string, expected: string): ApiError {
    return new ApiError('SerializationException', `Member '${member}' must be ${expected}`);
  }
}

function checkedArn(arn: string, kind: ArnKind): string {
  if (isArnOf(kind, arn)) return arn;
  const what = arn.startsWith('arn:')
    ? `Resource type not valid in this context`
    : 'Invalid ARN prefix';
  throw new ApiError('InvalidArn', `Invalid Arn: '${what}: ${arn}'`);
}

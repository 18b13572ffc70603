import { awsError, notImplemented } from '../aws/faults.ts';
import { parseJson } from '../http/json_text.ts';
import type { Service, ServiceResponse } from '../http/service.ts';

interface LoggedLine {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly message: string;
}

/** Lines of one function that are kept, the newest. */
const MOST_KEPT = 10_000;
/** Events of one answer, as AWS bounds it (API reference of FilterLogEvents). */
const MOST_ANSWERED = 10_000;

const GROUP = '/aws/lambda/';

/** CloudWatch Logs: FilterLogEvents of what functions have written, by time and by terms in quotes. */
export class LogsStandIn {
  readonly #lines = new Map<string, LoggedLine[]>();
  readonly #isFunction: (name: string) => boolean;
  readonly #clock: () => Date;

  /** @param isFunction whether there is such a function: each has a log group from the start. */
  constructor(settings: {
    readonly isFunction: (name: string) => boolean;
    readonly clock: () => Date;
  }) {
    this.#isFunction = settings.isFunction;
    this.#clock = settings.clock;
  }

  write(functionName: string, message: string): void {
    const lines = this.#lines.get(functionName) ?? [];
    this.#lines.set(functionName, lines);
    lines.push({ timestamp: this.#clock().getTime(), message });
    // Not one by one: each would move all the others.
    if (lines.length > 2 * MOST_KEPT) lines.splice(0, lines.length - MOST_KEPT);
  }

  readonly handle: Service = (request) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    return Promise.resolve(
      operation === 'FilterLogEvents'
        ? this.#filterLogEvents(request.body.toString())
        : notImplemented('logs', operation),
    );
  };

  #filterLogEvents(body: string): ServiceResponse {
    const asked = askedFor(body);
    if (typeof asked === 'string') return failure('InvalidParameterException', asked);
    const { group, terms, start, end, limit } = asked;
    const name = group.startsWith(GROUP) ? group.slice(GROUP.length) : '';
    if (!this.#isFunction(name)) {
      return failure('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    const events = (this.#lines.get(name) ?? [])
      .filter(
        ({ timestamp, message }) =>
          timestamp >= start && timestamp <= end && terms.every((term) => message.includes(term)),
      )
      .slice(0, limit)
      .map((line, at) => ({
        ...line,
        logStreamName: 'local',
        ingestionTime: line.timestamp,
        eventId: String(at),
      }));
    return {
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ events, searchedLogStreams: [] }),
    };
  }
}

interface Asked {
  readonly group: string;
  readonly terms: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly limit: number;
}

/** @returns what is wrong with the request, where something is. */
function askedFor(body: string): Asked | string {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = Object(parseJson(body === '' ? '{}' : body)) as Readonly<Record<string, unknown>>;
  } catch {
    return 'The request body is not the JSON of this operation.';
  }
  const { logGroupName, filterPattern = '', startTime, endTime, limit } = fields;
  const group = logGroupName ?? fields['logGroupIdentifier'];
  if (typeof group !== 'string' || group === '') return 'logGroupName is required.';
  const terms = typeof filterPattern === 'string' ? termsOf(filterPattern) : undefined;
  if (terms === undefined) {
    return 'Of filter patterns the embedded AWS knows terms in quotes alone: "one" "another".';
  }
  return {
    group,
    terms,
    start: numberOr(startTime, 0),
    end: numberOr(endTime, Infinity),
    limit: Math.min(numberOr(limit, MOST_ANSWERED), MOST_ANSWERED),
  };
}

function termsOf(pattern: string): string[] | undefined {
  if (!/^\s*(?:"[^"]*"\s*)*$/.test(pattern)) return undefined;
  return Array.from(pattern.matchAll(/"([^"]*)"/g), ([, term = '']) => term);
}

function numberOr(value: unknown, other: number): number {
  return typeof value === 'number' ? value : other;
}

function failure(code: string, message: string): ServiceResponse {
  return awsError('logs', 400, code, message);
}

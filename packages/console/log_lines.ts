import { FilterLogEventsCommand, ResourceNotFoundException } from '@aws-sdk/client-cloudwatch-logs';
import { parseJson } from 'receipt-embedding/local_files';
import { readItem } from './items.ts';
import type { ConsolePorts } from './ports.ts';

export interface LogLine {
  readonly at: string;
  readonly function_name: string;
  /** `INFO`, `WARN`, `ERROR`; '' of a line that is no JSON. */
  readonly level: string;
  readonly message: string;
  /** The rest of a line that is JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ItemLog {
  readonly lines: readonly LogLine[];
  /** Why there are none, or not all. */
  readonly note: string | null;
}

const MOST_LINES = 200;
/** A page may be empty and have a next one all the same. */
const MOST_PAGES = 10;
/** A line may be stamped a little before the state that invokes, or after it. */
const MARGIN_MS = 5_000;

/**
 * What the item's functions wrote to their logs about it, oldest first.
 *
 * @throws what AWS refuses, where it is not that there is no such log.
 */
export async function readItemLog(
  ports: ConsolePorts,
  arn: string,
  signal: AbortSignal,
): Promise<ItemLog> {
  const item = await readItem(ports, arn, signal);
  const id = item.batch_id ?? item.image_id;
  if (id === null) return { lines: [], note: 'The item names no receipt and no batch.' };
  if (item.states === null) {
    return { lines: [], note: 'Its history is not kept, so that its functions are not known.' };
  }
  const functions = new Set(
    item.states.flatMap(({ function_arn: name }) =>
      name === undefined ? [] : [/:function:([^:]+)/.exec(name)?.[1] ?? name],
    ),
  );
  const lines: LogLine[] = [];
  const missing: string[] = [];
  for (const name of functions) {
    const found = await readFunctionLog(ports, { name, id, item }, signal);
    if (found === undefined) missing.push(name);
    else lines.push(...found.filter((line) => isOf(line, item)));
  }
  lines.sort((a, b) => a.at.localeCompare(b.at));
  return {
    lines: lines.slice(0, MOST_LINES),
    note:
      missing.length > 0
        ? `No log of ${missing.join(', ')}.`
        : lines.length > MOST_LINES
          ? `The first ${MOST_LINES} lines.`
          : null,
  };
}

interface Asked {
  readonly name: string;
  readonly id: string;
  readonly item: { readonly started_at: string | null; readonly stopped_at: string | null };
}

async function readFunctionLog(
  { logs, now }: ConsolePorts,
  { name, id, item }: Asked,
  abortSignal: AbortSignal,
): Promise<LogLine[] | undefined> {
  const lines: LogLine[] = [];
  let nextToken: string | undefined;
  try {
    for (let page = 0; page < MOST_PAGES && lines.length < MOST_LINES; page++) {
      const answer = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: `/aws/lambda/${name}`,
          filterPattern: `"${id}"`,
          startTime: (item.started_at === null ? 0 : Date.parse(item.started_at)) - MARGIN_MS,
          endTime: Date.parse(item.stopped_at ?? now().toISOString()) + MARGIN_MS,
          nextToken,
        }),
        { abortSignal },
      );
      for (const { timestamp = 0, message = '' } of answer.events ?? []) {
        const line = logLine(name, timestamp, message);
        if (line !== undefined) lines.push(line);
      }
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
  return lines;
}

/** @returns undefined for a line of metrics (Embedded Metric Format), which says nothing to people. */
export function logLine(name: string, timestamp: number, text: string): LogLine | undefined {
  const at = new Date(timestamp).toISOString();
  const parsed: unknown = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { at, function_name: name, level: '', message: text.trim(), fields: {} };
  }
  if ('_aws' in parsed) return undefined;
  const { level, message, ...fields } = parsed as Record<string, unknown>;
  for (const known of ['timestamp', 'service', 'sampling_rate', 'xray_trace_id']) {
    Reflect.deleteProperty(fields, known);
  }
  return {
    at,
    function_name: name,
    level: typeof level === 'string' ? level : '',
    message: typeof message === 'string' ? message : text,
    fields,
  };
}

/** An image has several receipts; the search for a text finds those of all. */
function isOf(
  { fields }: LogLine,
  {
    batch_id,
    receipt_id,
  }: { readonly batch_id: string | null; readonly receipt_id: number | null },
): boolean {
  const { receipt_id: told } = fields;
  return batch_id !== null || told === undefined || receipt_id === null || told === receipt_id;
}

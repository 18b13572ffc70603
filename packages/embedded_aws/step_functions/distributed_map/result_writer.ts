import { redriveView } from '../api/execution_view.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../data/json_value.ts';
import { fillTemplate } from '../data/payload_template.ts';
import type { ResultWriter, WriterConfig } from '../definition/definition.ts';
import type { Execution } from '../execution/execution.ts';
import type { Frame } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';
import type { MapRun } from './map_run.ts';

/** An item whose child never started, because the Map Run failed before. */
export interface PendingItem {
  readonly name: string;
  readonly input: string;
}

interface ResultFile {
  readonly Key: string;
  readonly Size: number;
}

/**
 * Writes the results of a Map Run and their manifest under `{Prefix}/{id of the Map Run}/`.
 *
 * @param children in the order of the items.
 * @returns the output of the Map state: `{MapRunArn, ResultWriterDetails: {Bucket, Key}}`.
 * @throws StateError States.ResultWriterFailed when an object can't be written.
 */
export function writeResults(
  writer: ResultWriter,
  input: JsonValue,
  frame: Frame,
  mapRun: MapRun,
  children: readonly Execution[],
  pending: readonly PendingItem[],
): JsonObject {
  const { bucket, folder } = destinationOf(writer, input, frame, mapRun);
  const config = writer.WriterConfig ?? {};
  const succeeded = children.filter((child) => child.status === 'SUCCEEDED');
  const others = children.filter((child) => child.status !== 'SUCCEEDED');
  const extension = config.OutputType === 'JSONL' ? 'jsonl' : 'json';
  const put = (name: string, text: string, contentType: string): ResultFile => {
    const key = `${folder}/${name}`;
    const body = Buffer.from(text);
    try {
      frame.authorize('s3:PutObject', `arn:aws:s3:::${bucket}/${key}`);
      frame.runtime.ports.objects.putObject(bucket, key, body, { contentType });
    } catch (error) {
      throw failed(error instanceof Error ? error.message : String(error));
    }
    return { Key: key, Size: body.length };
  };
  const putEntries = (status: string, entries: readonly string[]): ResultFile[] =>
    entries.length === 0
      ? []
      : [put(`${status}_0.${extension}`, textOf(entries, config), 'application/json')];
  const files = {
    FAILED: putEntries('FAILED', others.map(describeChild)),
    PENDING: putEntries(
      'PENDING',
      pending.map((item) => describePending(item, mapRun)),
    ),
    SUCCEEDED: putEntries('SUCCEEDED', successEntries(succeeded, config)),
  };
  const manifest = { DestinationBucket: bucket, MapRunArn: mapRun.arn, ResultFiles: files };
  const { Key: key } = put('manifest.json', JSON.stringify(manifest), 'application/json');
  mapRun.counts.resultsWritten = children.length;
  return { MapRunArn: mapRun.arn, ResultWriterDetails: { Bucket: bucket, Key: key } };
}

function destinationOf(
  writer: ResultWriter,
  input: JsonValue,
  frame: Frame,
  mapRun: MapRun,
): { bucket: string; folder: string } {
  const filled = fillTemplate(writer.Parameters, frame.scope(input));
  const { Bucket: bucket, Prefix: prefix } = isJsonObject(filled) ? filled : {};
  if (typeof bucket !== 'string') throw failed('ResultWriter needs a Bucket, a string');
  if (prefix !== undefined && typeof prefix !== 'string') {
    throw failed('The Prefix of a ResultWriter must be a string');
  }
  const base = prefix?.replace(/\/$/, '') ?? '';
  return { bucket, folder: base === '' ? mapRun.id : `${base}/${mapRun.id}` };
}

/** Each entry is JSON text already: a run of many thousand children is not parsed again to be written. */
function textOf(entries: readonly string[], config: WriterConfig): string {
  return config.OutputType === 'JSONL'
    ? entries.map((entry) => `${entry}\n`).join('')
    : `[${entries.join(',')}]`;
}

function successEntries(children: readonly Execution[], config: WriterConfig): string[] {
  const outputs = (): string[] => children.map((child) => child.output ?? 'null');
  switch (config.Transformation ?? 'NONE') {
    case 'NONE':
      return children.map(describeChild);
    case 'COMPACT':
      return outputs();
    case 'FLATTEN':
      return outputs().flatMap((output) => {
        const value = JSON.parse(output) as JsonValue;
        return Array.isArray(value) ? value.map((item) => JSON.stringify(item)) : [output];
      });
  }
}

function describeChild(child: Execution): string {
  const redrive = redriveView(child.status);
  return JSON.stringify({
    ...(child.cause === undefined ? {} : { Cause: child.cause }),
    ...(child.error === undefined ? {} : { Error: child.error }),
    ExecutionArn: child.arn,
    Input: child.inputText,
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.output === undefined
      ? {}
      : { Output: child.output, OutputDetails: { Included: true } }),
    RedriveCount: redrive.redriveCount,
    RedriveStatus: redrive.redriveStatus,
    RedriveStatusReason: redrive.redriveStatusReason,
    StartDate: child.startDate.toISOString(),
    StateMachineArn: child.machine.arn,
    Status: child.status,
    ...(child.stopDate === undefined ? {} : { StopDate: child.stopDate.toISOString() }),
  });
}

function describePending(item: PendingItem, mapRun: MapRun): string {
  return JSON.stringify({
    Input: item.input,
    InputDetails: { Included: true },
    Name: item.name,
    StateMachineArn: mapRun.machine.arn,
    Status: 'PENDING',
  });
}

function failed(cause: string): StateError {
  return new StateError('States.ResultWriterFailed', cause);
}

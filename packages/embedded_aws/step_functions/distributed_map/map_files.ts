import { parseJson } from '../../http/json_text.ts';
import { redriveView } from '../api/execution_view.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../data/json_value.ts';
import type { MapState } from '../definition/definition.ts';
import type { Execution } from '../execution/execution.ts';
import type { Frame } from '../interpreter/frame.ts';
import { StateError } from '../state_error.ts';
import type { MapRun } from './map_run.ts';

/**
 * The items of a distributed Map with an ItemReader: the JSON lines of an object in S3.
 *
 * @throws StateError States.ItemReaderFailed when the object is missing or is not what it should be.
 */
export function readItems(
  { ItemReader: reader }: MapState,
  input: JsonValue,
  frame: Frame,
): JsonValue[] {
  const parameters = reader?.Parameters(frame.scope(input));
  const { Bucket: bucket, Key: key } = isJsonObject(parameters) ? parameters : {};
  if (typeof bucket !== 'string' || typeof key !== 'string') {
    throw readingFailed('ItemReader needs a Bucket and a Key, both strings');
  }
  return objectText(bucket, key, frame)
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      try {
        return [parseJson(line) as JsonValue];
      } catch {
        throw readingFailed(`s3://${bucket}/${key}, line ${index + 1} is not valid JSON`);
      }
    });
}

function objectText(bucket: string, key: string, frame: Frame): string {
  let body: Buffer | undefined;
  try {
    frame.authorize('s3:GetObject', `arn:aws:s3:::${bucket}/${key}`);
    body = frame.runtime.ports.objects.getObject(bucket, key)?.body;
  } catch (error) {
    throw readingFailed(error instanceof Error ? error.message : String(error));
  }
  if (body === undefined) {
    throw readingFailed(`Failed to read s3://${bucket}/${key}: The specified key does not exist.`);
  }
  return body.toString();
}

interface ResultFile {
  readonly Key: string;
  readonly Size: number;
}

/**
 * Writes the results of a Map Run as JSON lines, and their manifest, under `{Prefix}/{id of the Map Run}/`: the outputs
 * alone of the children that succeeded (`Transformation: COMPACT`), a description of each other one.
 *
 * @param children in the order of the items.
 * @param pending inputs of the children that were never started, because the Map Run failed before.
 * @returns the output of the Map state: `{MapRunArn, ResultWriterDetails: {Bucket, Key}}`.
 * @throws StateError States.ResultWriterFailed when an object can't be written.
 */
export function writeResults(
  writer: NonNullable<MapState['ResultWriter']>,
  input: JsonValue,
  frame: Frame,
  mapRun: MapRun,
  children: readonly Execution[],
  pending: readonly JsonValue[],
): JsonObject {
  const { ports, texts } = frame.runtime;
  const { bucket, folder } = destinationOf(writer.Parameters(frame.scope(input)), mapRun);
  const put = (name: string, text: string): ResultFile => {
    const key = `${folder}/${name}`;
    const body = Buffer.from(text);
    try {
      frame.authorize('s3:PutObject', `arn:aws:s3:::${bucket}/${key}`);
      ports.objects.putObject(bucket, key, body, { contentType: 'application/json' });
    } catch (error) {
      throw writingFailed(error instanceof Error ? error.message : String(error));
    }
    return { Key: key, Size: body.length };
  };
  // Each line is JSON text already: a run of many thousand children is not parsed again to be written.
  const putLines = (status: string, lines: readonly string[]): ResultFile[] =>
    lines.length === 0 ? [] : [put(`${status}_0.jsonl`, lines.map((line) => `${line}\n`).join(''))];
  const succeeded = children.filter((child) => child.status === 'SUCCEEDED');
  const others = children.filter((child) => child.status !== 'SUCCEEDED');
  const files = {
    FAILED: putLines('FAILED', others.map(describeChild)),
    PENDING: putLines(
      'PENDING',
      pending.map((item) => describePending(ports.newId(), texts.of(item), mapRun)),
    ),
    SUCCEEDED: putLines(
      'SUCCEEDED',
      succeeded.map((child) => child.output ?? 'null'),
    ),
  };
  const { arn } = mapRun.start;
  const manifest = { DestinationBucket: bucket, MapRunArn: arn, ResultFiles: files };
  const { Key: key } = put('manifest.json', JSON.stringify(manifest));
  mapRun.counts.resultsWritten = children.length;
  return { MapRunArn: arn, ResultWriterDetails: { Bucket: bucket, Key: key } };
}

function destinationOf(
  parameters: JsonValue,
  { start: { id } }: MapRun,
): { readonly bucket: string; readonly folder: string } {
  const { Bucket: bucket, Prefix: prefix = '' } = isJsonObject(parameters) ? parameters : {};
  if (typeof bucket !== 'string' || typeof prefix !== 'string') {
    throw writingFailed('ResultWriter needs a Bucket, a string, and a Prefix that is one');
  }
  return { bucket, folder: prefix === '' ? id : `${prefix.replace(/\/$/, '')}/${id}` };
}

function describeChild(child: Execution): string {
  const { redriveCount, redriveStatus, redriveStatusReason } = redriveView(child.status);
  return JSON.stringify({
    Cause: child.cause,
    Error: child.error,
    ExecutionArn: child.arn,
    Input: child.inputText,
    InputDetails: { Included: true },
    Name: child.name,
    RedriveCount: redriveCount,
    RedriveStatus: redriveStatus,
    RedriveStatusReason: redriveStatusReason,
    StartDate: child.startDate.toISOString(),
    StateMachineArn: child.machine.arn,
    Status: child.status,
    StopDate: child.stopDate?.toISOString(),
  });
}

function describePending(name: string, input: string, { start }: MapRun): string {
  return JSON.stringify({
    Input: input,
    InputDetails: { Included: true },
    Name: name,
    StateMachineArn: start.machine.arn,
    Status: 'PENDING',
  });
}

function readingFailed(cause: string): StateError {
  return new StateError('States.ItemReaderFailed', cause);
}

function writingFailed(cause: string): StateError {
  return new StateError('States.ResultWriterFailed', cause);
}

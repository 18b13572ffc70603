import { isJsonObject, type JsonValue } from '../data/json_value.ts';
import type { MapState } from '../definition/definition.ts';
import type { Frame } from '../interpreter/frame.ts';
import { StateError } from '../state_error.ts';

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
    throw failed('ItemReader needs a Bucket and a Key, both strings');
  }
  return objectText(bucket, key, frame)
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      try {
        return [JSON.parse(line) as JsonValue];
      } catch {
        throw failed(`s3://${bucket}/${key}, line ${index + 1} is not valid JSON`);
      }
    });
}

function objectText(bucket: string, key: string, frame: Frame): string {
  let body: Buffer | undefined;
  try {
    frame.authorize('s3:GetObject', `arn:aws:s3:::${bucket}/${key}`);
    body = frame.runtime.ports.objects.getObject(bucket, key)?.body;
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
  if (body === undefined) {
    throw failed(`Failed to read s3://${bucket}/${key}: The specified key does not exist.`);
  }
  return body.toString();
}

function failed(cause: string): StateError {
  return new StateError('States.ItemReaderFailed', cause);
}

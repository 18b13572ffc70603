import { isJsonObject, type JsonValue } from '../data/json_value.ts';
import { fillTemplate } from '../data/payload_template.ts';
import type { ItemReader, MapState } from '../definition/definition.ts';
import type { Frame } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';
import { inputItems, numberOf } from './map_settings.ts';

/**
 * The items of a distributed Map: from its ItemReader's object, or from the input.
 *
 * @throws StateError States.ItemReaderFailed when the object is missing or is not what it should be.
 */
export function readItems(state: MapState, input: JsonValue, frame: Frame): JsonValue[] {
  const reader = state.ItemReader;
  if (reader === undefined) return inputItems(state, input, frame);
  const { MaxItems: maxItems, MaxItemsPath: path } = reader.ReaderConfig;
  const limit = numberOf(maxItems, path, 'MaxItemsPath', input, frame) ?? 0;
  const items = itemsOf(reader, input, frame);
  // 0 is AWS's own default: all of them.
  return limit > 0 ? items.slice(0, limit) : items;
}

function itemsOf(reader: ItemReader, input: JsonValue, frame: Frame): JsonValue[] {
  const { Bucket: bucket, Key: key } = parametersOf(reader, input, frame);
  if (typeof bucket !== 'string' || typeof key !== 'string') {
    throw failed('ItemReader needs a Bucket and a Key, both strings');
  }
  const place = `s3://${bucket}/${key}`;
  const text = objectText(bucket, key, frame);
  return reader.ReaderConfig.InputType === 'JSONL'
    ? parseLines(text, place)
    : parseArray(text, place);
}

function parametersOf(
  reader: ItemReader,
  input: JsonValue,
  frame: Frame,
): Readonly<Record<string, JsonValue>> {
  const parameters = fillTemplate(reader.Parameters, frame.scope(input));
  return isJsonObject(parameters) ? parameters : {};
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

function parseArray(text: string, place: string): JsonValue[] {
  const value = parse(text, place);
  if (Array.isArray(value)) return value;
  throw failed(`${place} must hold a JSON array`);
}

function parseLines(text: string, place: string): JsonValue[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === '' ? [] : [parse(trimmed, `${place}, line ${index + 1}`)];
  });
}

function parse(text: string, place: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw failed(`${place} is not valid JSON`);
  }
}

function failed(cause: string): StateError {
  return new StateError('States.ItemReaderFailed', cause);
}

import { createHash } from 'node:crypto';
import { SqsError } from './answers.ts';

/** As the JSON protocol has it: binary values are in base64. */
export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** What is sent. */
export interface MessageContent {
  readonly body: string;
  readonly attributes: MessageAttributes;
}

/**
 * Bytes of a message with its attributes, and of a batch of messages together: 1 MiB (SQS quotas, "Message size" and "Batched
 * message").
 */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** "A message can have up to 10 attributes" (SQS quotas). */
const MAX_ATTRIBUTES = 10;

/** All characters of XML 1.0 but none else (API reference of SendMessage). */
const FORBIDDEN_CHARACTERS = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** Bytes as SQS counts them: the body, and of each attribute its name, type and value. */
export function messageBytes({ body, attributes }: MessageContent): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType);
    bytes += valueOf(attribute).length;
  }
  return bytes;
}

/** @throws SqsError for a message that SQS does not take. */
export function requireMessage(content: MessageContent): void {
  const { body, attributes } = content;
  if (body === '') {
    throw new SqsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  }
  if (FORBIDDEN_CHARACTERS.test(body)) {
    throw new SqsError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    );
  }
  if (messageBytes(content) > MAX_MESSAGE_BYTES) {
    throw new SqsError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${MAX_MESSAGE_BYTES} bytes.`,
    );
  }
  requireAttributes(attributes);
}

function requireAttributes(attributes: MessageAttributes): void {
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) {
    throw new SqsError(
      'InvalidParameterValue',
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    );
  }
  for (const [name, attribute] of entries) {
    const { DataType: type } = attribute;
    const kind = /^(String|Number|Binary)(\..+)?$/.exec(type)?.[1];
    const value = kind === 'Binary' ? attribute.BinaryValue : attribute.StringValue;
    if (kind !== undefined && value !== undefined && value !== '') continue;
    throw new SqsError(
      'InvalidParameterValue',
      kind === undefined
        ? `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`
        : `Message (user) attribute '${name}' must contain a non-empty value of type '${kind}'.`,
    );
  }
}

/** As it is answered to a sender, who compares it. */
export function md5OfBody(body: string): string {
  return createHash('md5').update(body).digest('hex');
}

/**
 * The digest of attributes (developer guide, "Calculating the MD5 message digest for message attributes"): by name, each part
 * after its length, the kind of the value before it.
 *
 * @returns undefined where there are none.
 */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  const hash = createHash('md5');
  for (const [name, attribute] of entries) {
    hash.update(withLength(Buffer.from(name)));
    hash.update(withLength(Buffer.from(attribute.DataType)));
    hash.update(Buffer.from([attribute.StringValue === undefined ? BINARY : STRING]));
    hash.update(withLength(valueOf(attribute)));
  }
  return hash.digest('hex');
}

const STRING = 1;
const BINARY = 2;

function valueOf({ StringValue, BinaryValue = '' }: MessageAttribute): Buffer {
  return StringValue === undefined ? Buffer.from(BinaryValue, 'base64') : Buffer.from(StringValue);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

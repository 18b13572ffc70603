import type { WholeResponse } from '../http/service.ts';

/** An error that S3 answers with: its code and message are AWS's own, `details` the extra elements of its XML body. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export function noSuchKey(key: string): S3Error {
  return new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
}

export function invalidArgument(argument: string, value: string, message: string): S3Error {
  return new S3Error(400, 'InvalidArgument', message, {
    ArgumentName: argument,
    ArgumentValue: value,
  });
}

/** @param condition the header that was not met, by AWS's spelling (`If-None-Match`). */
export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    { Condition: condition },
  );
}

/** @param what the operation or header, as its user would name it. */
export function notImplemented(what: string): S3Error {
  return new S3Error(501, 'NotImplemented', `${what} is not implemented by the embedded AWS.`);
}

/** The answer that carries an error. */
export function errorAnswer({ status, code, message, details }: S3Error): WholeResponse {
  const body = element('Error', [
    textElement('Code', code),
    textElement('Message', message),
    ...Object.entries(details).map(([name, value]) => textElement(name, value)),
  ]);
  return { status, headers: XML, body: `${DECLARATION}${body}` };
}

/** A whole answer, its root in S3's namespace. */
export function xmlAnswer(root: string, children: readonly string[]): WholeResponse {
  const body = `${DECLARATION}<${root} xmlns="${NAMESPACE}">${children.join('')}</${root}>`;
  return { status: 200, headers: XML, body };
}

/** `<name>…</name>` around a text, which is escaped. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** `<name>…</name>` around elements that are XML already. */
export function element(name: string, children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

const XML = { 'content-type': 'application/xml' };
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
// A carriage return would be read as a line feed, and most other control characters make the document ill-formed.
const SPECIAL = /[&<>"\p{Cc}\ufffe\uffff]/gu;

function escapeXml(text: string): string {
  return text.replace(
    SPECIAL,
    (character) => ESCAPES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

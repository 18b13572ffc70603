import { invalidRequest } from '../api_error.ts';

export interface FormField {
  /** Given for a file. */
  readonly filename: string | undefined;
  /** A view of the request's body, no copy. */
  readonly content: Buffer;
}

/**
 * The fields of a `multipart/form-data` body, by their names; of a name that comes twice, the last.
 *
 * @throws ApiError 400 for a body of another type, or one that ends too soon.
 */
export function readMultipartForm(
  contentType: string | undefined,
  body: Buffer,
): ReadonlyMap<string, FormField> {
  const boundary = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(
    contentType ?? '',
  );
  if (boundary === null) throw unreadable('the body must be multipart/form-data with a boundary');
  const delimiter = `\r\n--${boundary[1] ?? boundary[2] ?? ''}`;
  const fields = new Map<string, FormField>();
  // The first delimiter has no line end before it.
  let at = delimiter.length - 2;
  if (!body.subarray(0, at).equals(Buffer.from(delimiter.slice(2)))) {
    throw unreadable('the body must begin with its boundary');
  }
  while (body.toString('latin1', at, at + 2) === '\r\n') {
    const headersEnd = body.indexOf('\r\n\r\n', at);
    const end = headersEnd < 0 ? -1 : body.indexOf(delimiter, headersEnd + 4);
    if (end < 0) throw unreadable('the body ends within a field');
    const { name, filename } = dispositionOf(body.toString('utf8', at, headersEnd));
    fields.set(name, { filename, content: body.subarray(headersEnd + 4, end) });
    at = end + delimiter.length;
  }
  if (body.toString('latin1', at, at + 2) !== '--') throw unreadable('the body ends too soon');
  return fields;
}

function dispositionOf(headers: string): { name: string; filename: string | undefined } {
  const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(headers)?.[1] ?? '';
  const name = /\bname="([^"]*)"/i.exec(disposition.replace(/\bfilename="[^"]*"/i, ''))?.[1];
  if (name === undefined) throw unreadable('a field has no name');
  const filename = /\bfilename="([^"]*)"/i.exec(disposition)?.[1];
  return { name, filename: filename?.replace(/%(22|0D|0A)/g, decodeURIComponent) };
}

function unreadable(why: string): Error {
  return invalidRequest(`Could not parse multipart form: ${why}.`);
}

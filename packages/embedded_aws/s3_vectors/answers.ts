import type { WholeResponse } from '../http/service.ts';

/** What is wrong with one field of a request; `path` as in `/vectors/0/key`. */
export interface InvalidField {
  readonly path: string;
  readonly message: string;
}

/** An error that S3 Vectors answers with. */
export class VectorsError extends Error {
  override readonly name = 'VectorsError';
  readonly status: number;
  readonly code: string;
  /** Of a ValidationException. */
  readonly fieldList: readonly InvalidField[] | undefined;

  constructor(status: number, code: string, message: string, fieldList?: readonly InvalidField[]) {
    super(message);
    this.status = status;
    this.code = code;
    this.fieldList = fieldList;
  }
}

/** A field that the request's form allows and the service does not. */
export function invalidField(path: string, message: string): VectorsError {
  return new VectorsError(400, 'ValidationException', message, [{ path, message }]);
}

/** Fields that are not of the request's form. */
export function invalidForm(fields: readonly InvalidField[]): VectorsError {
  const errors = fields.length === 1 ? 'error' : 'errors';
  const reasons = fields.map(
    ({ path, message }) => `Value at '${path}' failed to satisfy constraint: ${message}`,
  );
  const message = `${fields.length} validation ${errors} detected. ${reasons.join('; ')}`;
  return new VectorsError(400, 'ValidationException', message, fields);
}

/** @param what `vector bucket`, `index` */
export function notFound(what: string): VectorsError {
  return new VectorsError(404, 'NotFoundException', `The specified ${what} could not be found`);
}

export function conflict(message: string): VectorsError {
  return new VectorsError(409, 'ConflictException', message);
}

/** @param what what of a request is missing here, as its user would name it. */
export function notImplemented(what: string): VectorsError {
  const message = `${what} is not implemented by the embedded AWS.`;
  return new VectorsError(501, 'NotImplemented', message);
}

/** The answer that carries an error. */
export function errorAnswer({ status, code, message, fieldList }: VectorsError): WholeResponse {
  return {
    status,
    headers: { ...JSON_BODY, 'x-amzn-errortype': code },
    body: JSON.stringify({ message, fieldList }),
  };
}

export function answer(output: object): WholeResponse {
  return { status: 200, headers: JSON_BODY, body: JSON.stringify(output) };
}

const JSON_BODY = { 'content-type': 'application/json' };

import type { ServiceResponse } from 'embedded-aws/http/service';
import { jsonAnswer } from './answers.ts';

/** An error as Google's APIs answer it: what is said of it is data. */
export function googleRefusal({
  httpStatus,
  reason,
  status = 'UNKNOWN',
  message = `Refused with ${httpStatus}.`,
}: {
  readonly httpStatus: number;
  /** In `details`, where Google gives one. */
  readonly reason?: string | undefined;
  readonly status?: string | undefined;
  readonly message?: string | undefined;
}): ServiceResponse {
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'googleapis.com' };
  const details = reason === undefined ? [] : [{ ...info, reason }];
  return jsonAnswer(
    { error: { code: httpStatus, message, status, details } },
    { status: httpStatus },
  );
}

/** An error as a Chroma server answers it. */
export function chromaRefusal({
  httpStatus,
  error = 'ChromaError',
  message = `Refused with ${httpStatus}.`,
}: {
  readonly httpStatus: number;
  readonly error?: string | undefined;
  readonly message?: string | undefined;
}): ServiceResponse {
  return jsonAnswer({ error, message }, { status: httpStatus });
}

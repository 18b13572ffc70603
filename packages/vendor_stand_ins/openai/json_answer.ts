import type { ServiceResponse } from 'embedded-aws/http/service';

/** A 200 answer with a JSON body. */
export function jsonAnswer(body: object): ServiceResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

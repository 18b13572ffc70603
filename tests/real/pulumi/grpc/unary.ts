import { type handleUnaryCall, status } from '@grpc/grpc-js';

/** A method of one question and one answer; what it throws is what the engine shows. */
export function unary<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answering = async (): Promise<Response> => await answer(call.request);
    answering().then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        const details = error instanceof Error ? error.message : String(error);
        callback({ code: status.UNKNOWN, details });
      },
    );
  };
}

import { createHash, createHmac } from 'node:crypto';
import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../aws/client_settings.ts';

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** The error's name: in a header, in JSON or in XML. */
  readonly code: string;
  readonly text: string;
}

class Sha256 {
  readonly #hash: ReturnType<typeof createHash | typeof createHmac>;

  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

/** The headers of a request that AWS's own signer has signed; what is asked needs no client that would send it. */
export async function signedHeaders(
  url: string,
  service: string,
  credentials: Credentials,
  { method = 'POST', path = '/', query = {}, headers = {}, body = '' }: RawRequest,
): Promise<Record<string, string>> {
  const { hostname, port } = new URL(url);
  const signer = new SignatureV4({
    service,
    region: 'us-east-1',
    credentials,
    sha256: Sha256 as unknown as ConstructorParameters<typeof SignatureV4>[0]['sha256'],
    uriEscapePath: service !== 's3',
  });
  const signed = await signer.sign({
    method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path,
    query: { ...query },
    headers: { host: `${hostname}:${port}`, ...headers },
    body,
  });
  return signed.headers;
}

/** Sends a request as it is: `fetch` would not let a test choose its Host. */
export async function sendRaw(
  url: string,
  { method = 'POST', path = '/', query = {}, headers = {}, body = '' }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  return await new Promise((resolve, reject) => {
    const outgoing = send(
      {
        hostname,
        port,
        method,
        path: search === '' ? path : `${path}?${search}`,
        headers: { 'content-length': Buffer.byteLength(body), ...headers },
      },
      (incoming) => {
        text(incoming).then((answer) => {
          const inHeader = incoming.headers['x-amzn-errortype'];
          const inBody = /"__type":"(?:[^"#]*#)?([^"]+)"|<Code>(.*?)<\/Code>/.exec(answer);
          resolve({
            status: incoming.statusCode ?? 0,
            code: String(inHeader ?? inBody?.[1] ?? inBody?.[2] ?? ''),
            text: answer,
          });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { jsonAnswer } from '../answers.ts';
import { invalidRequest, missingParameter } from './errors.ts';

/** OpenAI keeps the files of batches for 30 days. */
const SECONDS_KEPT = 30 * 24 * 3600;

/** The limit of a batch's input file in OpenAI's reference. */
const MAX_FILE_BYTES = 200_000_000;

/** Large enough to be sent fast, small enough that a reader who stops early has cost little. */
const CHUNK_BYTES = 64 * 1024;

export interface NewFile {
  readonly filename: string;
  readonly purpose: 'batch' | 'batch_output';
  /** Held whole, or lines that are made anew for each reader. */
  readonly content: Buffer | (() => Iterable<string>);
}

interface StoredFile extends NewFile {
  readonly id: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  /** Epoch seconds: from then on the file is gone. */
  readonly expiresAt: number;
}

/** The account's files: what `/v1/files` answers, and what batches read and write. */
export class Files {
  readonly #files = new Map<string, StoredFile>();
  readonly #clock: () => Date;
  #added = 0;
  #uploads = 0;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** How many files were uploaded. */
  get uploads(): number {
    return this.#uploads;
  }

  add(file: NewFile): { readonly id: string } {
    this.#added += 1;
    const createdAt = this.#now();
    const id = `file-${this.#added.toString(16).padStart(22, '0')}`;
    const stored = { ...file, id, createdAt, expiresAt: createdAt + SECONDS_KEPT };
    this.#files.set(id, stored);
    return stored;
  }

  /** @returns undefined for a file that never existed, is deleted, or has expired. */
  find(id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    if (file === undefined || this.#now() < file.expiresAt) return file;
    this.#files.delete(id);
    return undefined;
  }

  /** `POST /v1/files`. @throws ApiError 400 for a form that is wrong, 413 for a file that is too large. */
  async create({ headers, body }: ServiceRequest): Promise<ServiceResponse> {
    const form = await readForm(headers['content-type'], body);
    const file = form.get('file');
    if (file === null || typeof file === 'string') throw missingParameter('file');
    const purpose = form.get('purpose');
    if (purpose === null) throw missingParameter('purpose');
    if (purpose !== 'batch') {
      throw invalidRequest(`The purpose must be 'batch'.`, { param: 'purpose' });
    }
    if (!file.name.endsWith('.jsonl')) {
      throw invalidRequest('Invalid file format for Batch API. Must be .jsonl');
    }
    if (file.size > MAX_FILE_BYTES) {
      throw invalidRequest(
        `Maximum content size limit (${MAX_FILE_BYTES}) exceeded (${file.size} bytes read)`,
        { status: 413 },
      );
    }
    const content = Buffer.from(await file.arrayBuffer());
    const { id } = this.add({ filename: file.name, purpose, content });
    this.#uploads += 1;
    return this.retrieve(id);
  }

  /** `GET /v1/files/{id}`. @throws ApiError 404 */
  retrieve(id: string): ServiceResponse {
    const { content, createdAt, expiresAt, filename, purpose } = this.#get(id);
    return jsonAnswer({
      object: 'file',
      id,
      purpose,
      filename,
      bytes: sizeOf(content),
      created_at: createdAt,
      expires_at: expiresAt,
      status: 'processed',
      status_details: null,
    });
  }

  /** `GET /v1/files/{id}/content`. @throws ApiError 404 */
  content(id: string): ServiceResponse {
    const { filename, content } = this.#get(id);
    return {
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${filename}"`,
      },
      body: chunksOf(content),
    };
  }

  /** `DELETE /v1/files/{id}`. @throws ApiError 404 */
  delete(id: string): ServiceResponse {
    this.#files.delete(this.#get(id).id);
    return jsonAnswer({ object: 'file', deleted: true, id });
  }

  #get(id: string): StoredFile {
    const file = this.find(id);
    if (file !== undefined) return file;
    throw invalidRequest(`No such File object: ${id}`, { status: 404, param: 'id' });
  }

  #now(): number {
    return Math.floor(this.#clock().getTime() / 1000);
  }
}

async function readForm(contentType: string | undefined, body: Buffer): Promise<FormData> {
  try {
    // A view of the body, since a Response does not take a Buffer as TypeScript declares it.
    const bytes = new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length);
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it needs the memory of the whole body, which is here already
    return await new Response(bytes, { headers: { 'content-type': contentType ?? '' } }).formData();
  } catch {
    throw invalidRequest('Could not parse multipart form.');
  }
}

/** A content in chunks: as many lines as make 64 KiB, each line made when its chunk is asked for. */
function* chunksOf(content: NewFile['content']): Generator<Buffer> {
  if (Buffer.isBuffer(content)) {
    for (let at = 0; at < content.length; at += CHUNK_BYTES) {
      yield content.subarray(at, at + CHUNK_BYTES);
    }
    return;
  }
  let chunk = '';
  for (const line of content()) {
    chunk += line;
    if (chunk.length < CHUNK_BYTES) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

/** In bytes. Lines have to be made for that. */
function sizeOf(content: NewFile['content']): number {
  if (Buffer.isBuffer(content)) return content.length;
  let size = 0;
  for (const chunk of chunksOf(content)) size += chunk.length;
  return size;
}

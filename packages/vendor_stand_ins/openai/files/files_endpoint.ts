import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { invalidRequest, missingParameter } from '../api_error.ts';
import { jsonAnswer } from '../json_answer.ts';
import { checkExpiry, secondsKept } from './expiry.ts';
import { chunksOf, sizeOf } from './file_content.ts';
import type { FileStore, StoredFile } from './file_store.ts';
import { type FormField, readMultipartForm } from './multipart_form.ts';

/** The limit of a batch's input file in OpenAI's reference, bytes. */
export const maxFileBytes = 200_000_000;

/** `/v1/files`, for the files of batches. */
export class FilesEndpoint {
  readonly #store: FileStore;
  readonly #maxFileBytes: number;
  #uploads = 0;

  constructor(store: FileStore, maxBytes: number) {
    this.#store = store;
    this.#maxFileBytes = maxBytes;
  }

  /** How many files were uploaded. */
  get uploads(): number {
    return this.#uploads;
  }

  /** @throws ApiError 400 for a form that is wrong, 413 for a file that is too large. */
  create({ headers, body }: ServiceRequest): ServiceResponse {
    const form = readMultipartForm(headers['content-type'], body);
    const file = form.get('file');
    if (file?.filename === undefined) throw missingParameter('file');
    checkPurpose(form.get('purpose')?.content.toString());
    if (!file.filename.endsWith('.jsonl')) {
      throw invalidRequest('Invalid file format for Batch API. Must be .jsonl');
    }
    if (file.content.length > this.#maxFileBytes) {
      throw invalidRequest(
        `Maximum content size limit (${this.#maxFileBytes}) exceeded (${file.content.length} bytes read)`,
        { status: 413 },
      );
    }
    const stored = this.#store.add({
      filename: file.filename,
      purpose: 'batch',
      content: file.content,
      secondsKept: secondsKeptOf(form),
    });
    this.#uploads += 1;
    return jsonAnswer(fileObject(stored));
  }

  /** @throws ApiError 404 */
  retrieve(id: string): ServiceResponse {
    return jsonAnswer(fileObject(this.#store.get(id)));
  }

  /** @throws ApiError 404 */
  content(id: string): ServiceResponse {
    const { filename, content } = this.#store.get(id);
    return {
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${filename}"`,
      },
      body: chunksOf(content),
    };
  }

  /** @throws ApiError 404 */
  delete(id: string): ServiceResponse {
    this.#store.delete(id);
    return jsonAnswer({ object: 'file', deleted: true, id });
  }
}

function fileObject({ id, content, createdAt, expiresAt, filename, purpose }: StoredFile): object {
  return {
    object: 'file',
    id,
    purpose,
    filename,
    bytes: sizeOf(content),
    created_at: createdAt,
    expires_at: expiresAt,
    status: 'processed',
    status_details: null,
  };
}

function checkPurpose(purpose: string | undefined): void {
  if (purpose === undefined) throw missingParameter('purpose');
  if (purpose === 'batch') return;
  throw invalidRequest(`'${purpose}' is not one of ['batch'] - 'purpose'`, { param: 'purpose' });
}

function secondsKeptOf(form: ReadonlyMap<string, FormField>): number {
  const anchor = form.get('expires_after[anchor]')?.content.toString();
  const seconds = form.get('expires_after[seconds]')?.content.toString();
  if (anchor === undefined && seconds === undefined) return secondsKept;
  return checkExpiry({ anchor, seconds: Number(seconds) }, 'expires_after');
}

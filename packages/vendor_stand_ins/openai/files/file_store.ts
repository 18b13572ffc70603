import { invalidRequest } from '../api_error.ts';
import { secondsKept } from './expiry.ts';

export interface NewFile {
  readonly filename: string;
  readonly purpose: 'batch' | 'batch_output';
  /** Seconds from now. @default 30 days */
  readonly secondsKept?: number;
  /** Held whole, or lines that are made anew for each reader. */
  readonly content: Buffer | (() => Iterable<string>);
}

export interface StoredFile extends NewFile {
  readonly id: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  /** Epoch seconds: from then on the file is gone. */
  readonly expiresAt: number;
}

/** The account's files. */
export class FileStore {
  readonly #files = new Map<string, StoredFile>();
  readonly #clock: () => Date;
  #added = 0;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  add(file: NewFile): StoredFile {
    this.#added += 1;
    const createdAt = this.#now();
    const stored = {
      ...file,
      id: `file-${this.#added.toString(16).padStart(22, '0')}`,
      createdAt,
      expiresAt: createdAt + (file.secondsKept ?? secondsKept),
    };
    this.#files.set(stored.id, stored);
    return stored;
  }

  /** @returns undefined for a file that never was, is deleted, or has expired. */
  find(id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    if (file === undefined || this.#now() < file.expiresAt) return file;
    this.#files.delete(id);
    return undefined;
  }

  /** @throws ApiError 404 where `find` finds none. */
  get(id: string): StoredFile {
    const file = this.find(id);
    if (file !== undefined) return file;
    throw invalidRequest(`No such File object: ${id}`, { status: 404, param: 'id' });
  }

  /** @throws ApiError 404 where `find` finds none. */
  delete(id: string): void {
    this.#files.delete(this.get(id).id);
  }

  #now(): number {
    return Math.floor(this.#clock().getTime() / 1000);
  }
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { linePath, receiptPath, wordPath } from 'receipt-embedding/entities/keys';
import type {
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from 'receipt-embedding/entities/line_and_word';
import type { Receipt, ReceiptMetadata } from 'receipt-embedding/entities/receipt';
import { WrongArgument } from '../command_line/arguments.ts';
import {
  EntryCollector,
  type EntryProblem,
  exportedLabelSchema,
  exportedLineSchema,
  exportedMetadataSchema,
  exportedReceiptSchema,
  exportedWordSchema,
} from './export_entries.ts';
import {
  elements,
  encodingProblem,
  isArray,
  MalformedJson,
  type Member,
  objects,
  parseValue,
} from './export_json.ts';

/** An entry that was left out. */
interface InvalidEntry {
  /** As it was named, or found in a folder that was. */
  readonly file: string;
  /** The name of the array in the file: `receipt_words`, … */
  readonly array: string;
  /** Its place in the array, from 0. */
  readonly index: number;
  /** Fields and what was expected of them, never a value. */
  readonly problems: string[];
}

/** Entries that were left out, for people. */
export function skippedLines(skipped: readonly InvalidEntry[]): string[] {
  return skipped.map(
    ({ file, array, index, problems }) =>
      `Left out: ${file}: ${array}[${index}]: ${problems.join('; ')}`,
  );
}

/** What was read, each kind in the order of the files and of their entries. */
export interface ReceiptExports {
  readonly receipts: Receipt[];
  readonly lines: ReceiptLine[];
  readonly words: ReceiptWord[];
  readonly labels: ReceiptWordLabel[];
  readonly metadatas: ReceiptMetadata[];
  /** Empty unless `skipInvalid` was set. */
  readonly skipped: InvalidEntry[];
}

interface ReadReceiptExportsOptions {
  /** Leaves invalid entries out and lists them, instead of refusing all. */
  readonly skipInvalid: boolean;
}

/**
 * Reads receipt exports: JSON files with any of the arrays `receipts`, `receipt_lines`, `receipt_words`,
 * `receipt_word_labels` and `receipt_metadatas`, whose entries carry the attributes of docs/data_model.md §1. Other keys are skipped
 * unparsed. An entry with the ids of an earlier one, in the same file or in another, is invalid; one whose receipt or line is not
 * in the exports is not. Timestamps get their offset, labels their upper case.
 *
 * One file at a time is in memory as bytes, and one entry of it as text; a file may be up to 2 GiB.
 *
 * @param paths files, or folders whose `*.json` and `*.jsonl` files are read.
 * @throws WrongArgument with the problems of all files (the first 50 of them): a path that can't be read, a file that is no such
 *   export, and, without `skipInvalid`, every invalid entry.
 */
export async function readReceiptExports(
  paths: readonly string[],
  { skipInvalid }: ReadReceiptExportsOptions,
): Promise<ReceiptExports> {
  const problems = new ExportProblems();
  const skipped: InvalidEntry[] = [];
  const collectors = createCollectors();
  for (const file of await findExportFiles(paths, problems)) {
    const bytes = await readExportFile(file, problems);
    if (bytes === undefined) continue;
    readEntries(bytes, file, collectors, {
      found: new Set(),
      unusable: (problem) => {
        problems.add(`${file}: ${problem}`);
      },
      invalid: (array, index, found) => {
        if (skipInvalid) {
          skipped.push({ file, array, index, problems: found.map(describe) });
        } else {
          for (const problem of found) problems.add(locate(file, array, index, problem));
        }
      },
    });
  }
  problems.throwIfAny();
  return {
    receipts: collectors.receipts.entities,
    lines: collectors.receipt_lines.entities,
    words: collectors.receipt_words.entities,
    labels: collectors.receipt_word_labels.entities,
    metadatas: collectors.receipt_metadatas.entities,
    skipped,
  };
}

/**
 * The same, of exports that are to be embedded.
 *
 * @throws WrongArgument also when they hold receipts and what belongs to them, and no line and no word.
 */
export async function readEmbeddableExports(
  paths: readonly string[],
  options: ReadReceiptExportsOptions,
): Promise<ReceiptExports> {
  const exports = await readReceiptExports(paths, options);
  const { receipts, lines, words, labels, metadatas, skipped } = exports;
  const hasOthers = receipts.length + labels.length + metadatas.length > 0;
  if (lines.length + words.length > 0 || !hasOthers || skipped.length > 0) return exports;
  throw new WrongArgument(
    `${paths.join(', ')}: there is nothing to embed. The arrays receipt_lines and receipt_words are missing or empty (docs/local_run.md has the form).`,
  );
}

const createCollectors = () => ({
  receipts: new EntryCollector(exportedReceiptSchema, receiptPath),
  receipt_lines: new EntryCollector(exportedLineSchema, linePath),
  receipt_words: new EntryCollector(exportedWordSchema, wordPath),
  receipt_word_labels: new EntryCollector(
    exportedLabelSchema,
    (label) => `${wordPath(label)}#LABEL#${label.label}`,
  ),
  receipt_metadatas: new EntryCollector(exportedMetadataSchema, receiptPath),
});

type Collectors = ReturnType<typeof createCollectors>;

interface Report {
  /** The arrays that the file has. */
  readonly found: Set<string>;
  /** The file is no export. */
  readonly unusable: (problem: string) => void;
  readonly invalid: (array: string, index: number, problems: readonly EntryProblem[]) => void;
}

function readEntries(bytes: Buffer, file: string, collectors: Collectors, report: Report): void {
  const encoding = encodingProblem(bytes);
  if (encoding !== undefined) {
    report.unusable(encoding);
    return;
  }
  try {
    let objectsRead = 0;
    for (const members of objects(bytes)) {
      // After the first object: rows, one a line, have no arrays.
      if (objectsRead++ > 0 && report.found.size === 0) {
        report.unusable(ROWS_AS_LINES);
        return;
      }
      readObject(members, bytes, file, collectors, report);
    }
    if (report.found.size === 0) {
      report.unusable(`has none of the arrays ${Object.keys(collectors).join(', ')}`);
    }
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error;
    report.unusable(`is not a JSON object: ${error.message}`);
  }
}

const ROWS_AS_LINES =
  "holds objects without arrays, one a line. Of rows of one kind, `jq -s '{receipt_lines: .}'` makes an export";

function readObject(
  members: readonly Member[],
  bytes: Buffer,
  file: string,
  collectors: Collectors,
  report: Report,
): void {
  const names = new Set<string>();
  for (const member of members) {
    if (!Object.hasOwn(collectors, member.name)) continue;
    report.found.add(member.name);
    if (names.has(member.name)) {
      report.unusable(`${member.name}: is in the file twice`);
      continue;
    }
    names.add(member.name);
    if (!isArray(bytes, member)) {
      report.unusable(`${member.name}: expected an array`);
      continue;
    }
    readArray(bytes, member, file, collectors[member.name as keyof Collectors], report);
  }
}

function readArray(
  bytes: Buffer,
  array: Member,
  file: string,
  collector: Collectors[keyof Collectors],
  report: Report,
): void {
  let index = 0;
  for (const element of elements(bytes, array)) {
    const place = `${file}: ${array.name}[${index}]`;
    const problems = collector.add(parseValue(bytes, element), place);
    if (problems.length > 0) report.invalid(array.name, index, problems);
    index++;
  }
}

function describe({ field, message }: EntryProblem): string {
  return field === '' ? message : `${field}: ${message}`;
}

function locate(file: string, array: string, index: number, problem: EntryProblem): string {
  const field = problem.field === '' ? '' : `.${problem.field}`;
  return `${file}: ${array}[${index}]${field}: ${problem.message}`;
}

/**
 * The files that these paths mean: a file itself, or the `*.json` and `*.jsonl` files of a folder and of all its folders, sorted. A file that
 * is named twice comes once. What is wrong with a path is added to `problems`.
 */
async function findExportFiles(
  paths: readonly string[],
  problems: ExportProblems,
): Promise<readonly string[]> {
  const files = new Map<string, string>();
  for (const path of paths) {
    try {
      const found = (await stat(path)).isDirectory() ? await jsonFilesIn(path) : [path];
      if (found.length === 0) problems.add(`${path}: the folder holds no .json or .jsonl file`);
      for (const file of found) files.set(resolve(file), file);
    } catch (error) {
      problems.add(`${path}: ${describeFileError(error)}`);
    }
  }
  return [...files.values()];
}

const EXPORT_NAME = /\.(?:json|jsonl|ndjson)$/;

async function jsonFilesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && EXPORT_NAME.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** @returns undefined when the file can't be read: why is added to `problems`. */
async function readExportFile(file: string, problems: ExportProblems): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    problems.add(`${file}: ${describeFileError(error)}`);
    return undefined;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: "can't be read: permission denied",
  EISDIR: 'is a folder',
  // Node's own limit for a file that is read in one piece.
  ERR_FS_FILE_TOO_LARGE: "can't be read: it is larger than 2 GiB; split it",
};

function describeFileError(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) throw error;
  const code = String(error.code);
  return reasons[code] ?? `can't be read (${code})`;
}

/** More than anybody reads at once; a systematic mistake makes one problem for each of many thousand entries. */
const LISTED = 50;

/** Gathers problems, so that all are reported at once; keeps the first 50 and counts the rest. */
class ExportProblems {
  readonly #first: string[] = [];
  #count = 0;

  add(problem: string): void {
    if (this.#count < LISTED) this.#first.push(problem);
    this.#count++;
  }

  /** @throws WrongArgument if there was any problem. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#first.length;
    throw new WrongArgument(
      [
        `the receipt exports can't be used (${this.#count} ${this.#count === 1 ? 'problem' : 'problems'}):`,
        ...this.#first.map((problem) => `  ${problem}`),
        ...(more > 0 ? [`  and ${more} more`] : []),
      ].join('\n'),
    );
  }
}

import { packDelta } from './delta_archive.ts';
import { buildDatabase } from './delta_database.ts';
import { checkRecords, type CollectionName, type DeltaRecord } from './delta_record.ts';

export interface DeltaContent {
  /** The name of the delta's one collection. */
  readonly collection: CollectionName;
  /** The length of every vector. */
  readonly dimensions: number;
  /** May be empty: the delta then holds an empty collection. */
  readonly records: readonly DeltaRecord[];
  /**
   * Metadata fields whose numbers are floats to Chroma, also where they are whole.
   *
   * @default none: a whole number is an int
   */
  readonly floatFields?: ReadonlySet<string>;
  /** An existing folder to work in; nothing is left in it, whatever happens. */
  readonly temporaryFolder: string;
}

/**
 * A ChromaDB delta: the `delta.tar.gz` with a Chroma persistent directory at its root. Chroma 1.0.5 and
 * later open it as they open a directory of their own.
 *
 * The same records in the same order give the same bytes, on one version of Node (SQLite writes its
 * version into the file). A lone surrogate in a document or in metadata becomes U+FFFD, as in any UTF-8.
 *
 * @throws InvalidReceiptData for a record that Chroma could not hold, before anything is written.
 */
export async function createDelta(content: DeltaContent): Promise<Buffer> {
  const { collection, dimensions, records, floatFields = new Set(), temporaryFolder } = content;
  checkRecords(records, dimensions);
  return await packDelta(
    buildDatabase(collection, dimensions, records, floatFields, temporaryFolder),
  );
}

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { SeenEntity } from '../table/entity_listing.ts';
import type { ClaimOwners } from '../table/put_back.ts';

/** How many lines and words, by the status that they have. */
export type PlannedCounts = Record<'lines' | 'words', Record<SeenEntity['status'], number>>;

/** What is to be put back: the rows themselves are in a file, since they may be millions. */
export interface RedoPlan {
  readonly file: string;
  readonly total: number;
  readonly counts: Readonly<PlannedCounts>;
  /** The keys of the first of them, as vector ids. */
  readonly examples: readonly string[];
  /** Of all, those that no run embeds: noise, or blank. */
  readonly not_embeddable: number;
  /** What stays PENDING, since the batch that has claimed it may still come back to it: how many, by batch. */
  readonly live_claims: Readonly<Record<string, number>>;
}

export interface PlanPorts {
  readonly owners: ClaimOwners;
  /** Where the plan is kept; it is not there yet. */
  readonly file: string;
  /** Hears how many rows were found so far. */
  readonly onProgress: (found: number) => void;
}

/** The key of `live_claims` for claims without an owner. */
export const OLDER_SYSTEM = 'an older system';

const MOST_EXAMPLES = 20;
/** Written and told at a time. */
const PIECE = 1_000;

/** Reads all that is to be put back, and writes it down: what is not in the plan is not touched. */
export async function makePlan(
  entities: AsyncIterable<SeenEntity>,
  { owners, file, onProgress }: PlanPorts,
): Promise<RedoPlan> {
  const counts: PlannedCounts = {
    lines: { FAILED: 0, PENDING: 0 },
    words: { FAILED: 0, PENDING: 0 },
  };
  const examples: string[] = [];
  const live: Record<string, number> = {};
  let total = 0;
  let notEmbeddable = 0;
  let piece = '';
  const handle = await open(file, 'wx');
  try {
    for await (const entity of entities) {
      if (entity.status === 'PENDING' && (await owners.isLive(entity))) {
        const owner = entity.owner ?? OLDER_SYSTEM;
        live[owner] = (live[owner] ?? 0) + 1;
        continue;
      }
      total++;
      counts[`${entity.kind}s`][entity.status]++;
      if (!entity.embeddable) notEmbeddable++;
      if (examples.length < MOST_EXAMPLES) examples.push(idOf(entity));
      piece += `${JSON.stringify(entity)}\n`;
      if (total % PIECE !== 0) continue;
      onProgress(total);
      await handle.write(piece);
      piece = '';
    }
    await handle.write(piece);
  } finally {
    await handle.close();
  }
  return { file, total, counts, examples, not_embeddable: notEmbeddable, live_claims: live };
}

/** The rows of a plan, as they were seen. */
export async function* plannedEntities({ file }: RedoPlan): AsyncGenerator<SeenEntity> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) yield JSON.parse(line) as SeenEntity;
}

/** A line or word by its key in one string. */
export function idOf({ PK, SK }: Pick<SeenEntity, 'PK' | 'SK'>): string {
  return `${PK}#${SK}`;
}

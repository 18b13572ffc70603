import { z } from 'zod';
import { imageIdSchema, ordinalSchema } from '../entities/keys.ts';
import { collectionOf } from '../stores/vector_ids.ts';
import { STORES } from '../stores/open_stores.ts';
import type { StoreName, VectorCollection } from '../stores/vector_store.ts';

/** The most hits of one search, and the most that a search asks a store for (docs/data_model.md §6, §7: what every store gives). */
export const MOST_HITS = 300;

const DEFAULT_HITS = 10;

/** The stores that may be named; a stack has some of them. */
export const STORE_NAMES = Object.keys(STORES) as [StoreName, ...StoreName[]];

const vectorIdSchema = z
  .string()
  .refine(
    (id) => collectionOf(id) !== undefined,
    'expected the id of a line or a word: IMAGE#{image_id}#RECEIPT#{00001}#LINE#{00001}, for a word with #WORD#{00001}',
  );

/** Labels are upper case in the table. One store keeps them in one text, parted by commas (docs/data_model.md §2). */
const labelSchema = z
  .string()
  .transform((label) => label.trim().toUpperCase())
  .refine(
    (label) => /^[^,\p{Cc}]{1,100}$/u.test(label),
    'expected the name of a label: 1 to 100 characters, without a comma',
  );

/** Every field as it comes; what fits together is judged after. */
const fields = {
  query: z
    .string()
    .refine((query) => query.trim() !== '', 'the question is empty: ask for some text')
    .optional(),
  like: vectorIdSchema.optional(),
  ids: z
    .array(vectorIdSchema)
    .min(1, 'expected at least one id')
    .max(MOST_HITS, `at most ${MOST_HITS} ids at a time`)
    .optional(),
  entity: z.enum(['lines', 'words'], 'expected lines or words').default('lines'),
  k: z
    .int('expected a whole number')
    .min(1, `expected 1 to ${MOST_HITS}`)
    .max(MOST_HITS, `expected 1 to ${MOST_HITS}`)
    .optional(),
  merchant: z
    .string()
    .min(1, "expected a merchant's name")
    .max(200, "no merchant's name has more than 200 characters here")
    .optional(),
  label: labelSchema.optional(),
  label_is: z.enum(['valid', 'invalid'], 'expected valid or invalid').optional(),
  not_label: labelSchema.optional(),
  image_id: imageIdSchema.optional(),
  receipt_id: ordinalSchema.optional(),
  exclude_receipt: z.literal('self', 'expected self').optional(),
  min_score: z
    .number()
    .min(-1, 'a score is from -1 to 1')
    .max(1, 'a score is from -1 to 1')
    .optional(),
  store: z.enum(STORE_NAMES, `expected one of ${STORE_NAMES.join(', ')}`).optional(),
  by_receipt: z.boolean().optional(),
} as const;

type Fields = z.output<z.ZodObject<typeof fields>>;

/** What would narrow or order hits, and has no meaning for vectors that are named. */
const OF_QUESTIONS = [
  'k',
  'merchant',
  'label',
  'label_is',
  'not_label',
  'image_id',
  'receipt_id',
  'exclude_receipt',
  'min_score',
  'by_receipt',
] as const satisfies readonly (keyof Fields)[];

/** A rule that spans fields: the field that is wrong, when it is, and why. */
type Rule = readonly [
  field: keyof Fields,
  isBroken: (input: Fields) => boolean,
  problem: string | ((input: Fields) => string),
];

const RULES: readonly Rule[] = [
  [
    'query',
    ({ query, like, ids }) =>
      [query, like, ids].filter((subject) => subject !== undefined).length !== 1,
    'expected exactly one of query (a text), like (the id of a vector) and ids (a list of ids)',
  ],
  [
    'label',
    ({ entity, label, not_label }) =>
      entity === 'lines' && (label !== undefined || not_label !== undefined),
    'only words have labels: search with entity words',
  ],
  [
    'label_is',
    ({ label, label_is }) => label === undefined && label_is !== undefined,
    'it says how the label is judged: name the label too',
  ],
  [
    'receipt_id',
    ({ image_id, receipt_id }) => image_id === undefined && receipt_id !== undefined,
    "it is the receipt's number within its image: name image_id too",
  ],
  [
    'exclude_receipt',
    ({ like, exclude_receipt }) => like === undefined && exclude_receipt !== undefined,
    'self is the receipt of the vector in like: it goes with like only',
  ],
  [
    'like',
    ({ like, entity }) => like !== undefined && isOfOther(like, entity),
    ({ entity }) => otherCollection(entity),
  ],
  [
    'ids',
    ({ ids, entity }) => ids?.some((id) => isOfOther(id, entity)) === true,
    ({ entity }) => otherCollection(entity),
  ],
  ...OF_QUESTIONS.map((field): Rule => [
    field,
    (input) => input.ids !== undefined && input[field] !== undefined,
    'vectors that are named by ids are given as they are: leave it out',
  ]),
];

/** What is no id at all is a problem of its own. */
function isOfOther(id: string, entity: VectorCollection): boolean {
  const collection = collectionOf(id);
  return collection !== undefined && collection !== entity;
}

function otherCollection(entity: VectorCollection): string {
  const [is, other] = entity === 'lines' ? ['word', 'words'] : ['line', 'lines'];
  return `that is the id of a ${is}: search with entity ${other}`;
}

/**
 * The event of `search_receipts`. Every problem is reported, with its field. No message quotes what was given: it ends in logs.
 *
 * - `query`, or `like`, or `ids`: what is looked for. A text (not blank; at most 8,192 tokens, which the search itself checks), the
 *   id of a vector whose neighbours are wanted, or 1 to 300 ids of vectors.
 * - `entity`: `lines` (default) or `words`.
 * - `k`: how many hits, 1 to 300, default 10.
 * - `merchant`: hits of this merchant, its name exactly as it is kept.
 * - `label`, `label_is`: words on which this label is `valid` (default) or `invalid`. `not_label`: none on which this one is valid.
 * - `image_id`, `receipt_id`: hits on this image, or on this receipt of it.
 * - `exclude_receipt: 'self'`: none of the receipt of `like`.
 * - `min_score`: none with a lower score, -1 to 1.
 * - `store`: which of the stack's stores is asked; default: its first.
 * - `by_receipt`: the best hit of each receipt alone.
 *
 * @example
 * ```ts
 * searchInputSchema.parse({ query: 'oat milk', merchant: 'Corner Market' });
 * // { query: 'oat milk', merchant: 'Corner Market', entity: 'lines', k: 10, by_receipt: false }
 * ```
 */
export const searchInputSchema = z
  .strictObject(fields, {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? `a field is not known; known are ${Object.keys(fields).join(', ')}`
        : undefined,
  })
  .superRefine((input, context) => {
    for (const [field, isBroken, problem] of RULES) {
      if (!isBroken(input)) continue;
      const message = typeof problem === 'string' ? problem : problem(input);
      context.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .transform(({ k = DEFAULT_HITS, by_receipt = false, ...input }) => ({ ...input, k, by_receipt }));

/** What is searched for, checked. Of `query`, `like` and `ids` there is exactly one. */
export type SearchInput = z.output<typeof searchInputSchema>;

/** The same as a caller writes it, with its defaults left out. */
export type SearchRequest = z.input<typeof searchInputSchema>;

import { Command, Option } from 'commander';
import type { Embedder } from 'receipt-embedding/embeddings/embedder';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { EDGE, inputOfWord } from 'receipt-embedding/embeddings/inputs';
import { createOpenAIClient, OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { wordQuestion } from 'receipt-embedding/search/search';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { syntheticReceipts } from '../packages/cli/synthetic_receipts/synthetic_receipts.ts';
import { Checks, print } from './figures.ts';

/**
 * How often a question finds what it names, for lines and for words, by the form that it is embedded in. With the stand-in, whose
 * embedding is lexical (words and groups of letters), or with OpenAI itself. Fails when a search for words, in the form that it
 * uses, finds less than one of the other forms by more than five in a hundred.
 */

const MODEL = { model: 'text-embedding-3-small', dimensions: 1_536 };

const options = new Command('npm run bench:questions --')
  .description('How often a question finds the lines and words that it names.')
  .option('--receipts <N>', 'synthetic receipts that are searched', Number, 96)
  .option('--questions <N>', 'questions of each kind', Number, 100)
  .option('--seed <S>', 'of the receipts', '1')
  .addOption(
    new Option('--openai <WHICH>', 'real: OpenAI itself, with your OPENAI_API_KEY')
      .choices(['stand-in', 'real'])
      .default('stand-in'),
  )
  .parse()
  .opts<{
    readonly receipts: number;
    readonly questions: number;
    readonly seed: string;
    readonly openai: 'stand-in' | 'real';
  }>();

const embedder: Pick<Embedder, 'embed'> =
  options.openai === 'real'
    ? new OpenAIEmbedder(
        createOpenAIClient({ apiKey: process.env['OPENAI_API_KEY'] ?? '', baseURL: undefined }),
        MODEL,
      )
    : {
        embed: (inputs) =>
          Promise.resolve({
            vectors: inputs.map((input) => embedText(input, MODEL.dimensions)),
            requests: 0,
            prompt_tokens: 0,
          }),
      };

interface Entity {
  readonly input: string;
  readonly text: string;
  /** The texts beside a word, those of its line for a line: lower case. */
  readonly words: readonly string[];
}

interface Embedded extends Entity {
  readonly vector: Float32Array;
}

/** What is asked, and which entities have it. */
interface Question {
  readonly text: string;
  readonly has: (entity: Entity, of: 'lines' | 'words') => boolean;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}+/gu) ?? [];

function readEntities(): { lines: Entity[]; words: Entity[] } {
  const receipts = syntheticReceipts({ count: options.receipts, seed: options.seed });
  const items = [...receipts].map((receipt) => embeddingItems(receipt, undefined, 'realtime'));
  return {
    lines: items.flatMap(({ lines }) =>
      lines.map(({ input, metadata: { text } }) => ({ input, text, words: wordsOf(text) })),
    ),
    words: items.flatMap(({ words }) =>
      words.map(({ input, metadata: { text, left, right } }) => ({
        input,
        text: text.toLowerCase(),
        words: [left, right].map((neighbour) => neighbour.toLowerCase()),
      })),
    ),
  };
}

async function embedded(entities: readonly Entity[]): Promise<Embedded[]> {
  const inputs = [...new Set(entities.map(({ input }) => input))];
  const { vectors } = await embedder.embed(inputs);
  const vectorOf = new Map(inputs.map((input, at) => [input, vectors[at]]));
  return entities.flatMap((entity) => {
    const vector = vectorOf.get(entity.input);
    return vector === undefined ? [] : [{ ...entity, vector }];
  });
}

/** Words of letters alone, as they stand on the receipts, evenly picked. */
function evenly(all: Iterable<string>, most: number): string[] {
  const distinct = [...new Set(all)].sort();
  const step = Math.max(1, distinct.length / most);
  return Array.from({ length: Math.min(most, distinct.length) }, (_, at) =>
    String(distinct[Math.floor(at * step)]),
  );
}

function questionsOf(words: readonly Entity[]): Record<string, Question[]> {
  const isWord = (text: string): boolean => /^\p{L}{4,}$/u.test(text);
  const single = evenly(words.map(({ text }) => text).filter(isWord), options.questions);
  const pairs = evenly(
    words.flatMap(({ text, words: [, right = ''] }) =>
      isWord(text) && isWord(right) ? [`${text} ${right}`] : [],
    ),
    options.questions,
  );
  const hasWord =
    (word: string): Question['has'] =>
    ({ text, words }, of) =>
      of === 'words' ? text === word : words.includes(word);
  return {
    'a word': single.map((text) => ({ text, has: hasWord(text) })),
    'a word, a letter missing': single.map((text) => ({
      text: text.slice(0, 2) + text.slice(3),
      has: hasWord(text),
    })),
    'two neighbours': pairs.map((text) => {
      const [first = '', second = ''] = text.split(' ');
      return {
        text,
        has: (entity, of) =>
          of === 'lines'
            ? entity.words.some((word, at) => word === first && entity.words[at + 1] === second)
            : (entity.text === first && entity.words[1] === second) ||
              (entity.text === second && entity.words[0] === first),
      };
    }),
  };
}

const FORMS: Readonly<Record<string, (question: string) => string>> = {
  'in the form of a word (used)': wordQuestion,
  'as it is': (question) => question,
  'its first word, the rest beside it': (question) => {
    const [target = '', right = EDGE] = question.split(' ');
    return inputOfWord(target, 'middle-center', { left: EDGE, right });
  },
  'the form without neighbours': (question) =>
    inputOfWord(question, 'middle-center', { left: '', right: '' }),
};

/** Shares: of questions whose first hit has it; of what has it, up to ten each, among the first ten. */
interface Rate {
  readonly first: number;
  readonly ten: number;
}

const NEAREST = 10;

async function rateOf(
  entities: readonly Embedded[],
  of: 'lines' | 'words',
  form: (question: string) => string,
  questions: readonly Question[],
): Promise<Rate> {
  const { vectors } = await embedder.embed(questions.map(({ text }) => form(text)));
  let first = 0;
  let found = 0;
  let findable = 0;
  for (const [at, { has }] of questions.entries()) {
    const asked = vectors[at] ?? new Float32Array(MODEL.dimensions);
    const nearest = entities
      .map((entity) => ({ entity, score: dot(asked, entity.vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, NEAREST);
    if (nearest[0] !== undefined && has(nearest[0].entity, of)) first++;
    found += nearest.filter(({ entity }) => has(entity, of)).length;
    findable += Math.min(NEAREST, entities.filter((entity) => has(entity, of)).length);
  }
  return { first: first / questions.length, ten: found / findable };
}

/** Both are of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`.padStart(6);

const entities = readEntities();
const questions = questionsOf(entities.words);
const lines = await embedded(entities.lines);
const words = await embedded(entities.words);
const checks = new Checks();

print(
  `${lines.length} lines and ${words.length} words of ${options.receipts} receipts, ` +
    (options.openai === 'real'
      ? MODEL.model
      : 'embedded by the stand-in: lexical, so near is what shares words and groups of letters'),
);
print(`first: the first hit has it; ten: of what has it, up to ten, among the first ten`);
for (const [kind, asked] of Object.entries(questions)) {
  print('');
  print(`${kind}, ${asked.length} questions`.padEnd(52) + ' first    ten');
  const ofLines = await rateOf(lines, 'lines', (question) => question, asked);
  print(`  lines, as it is`.padEnd(50) + percent(ofLines.first) + percent(ofLines.ten));
  const rates = new Map<string, Rate>();
  for (const [name, form] of Object.entries(FORMS)) {
    const rate = await rateOf(words, 'words', form, asked);
    rates.set(name, rate);
    print(`  words, ${name}`.padEnd(50) + percent(rate.first) + percent(rate.ten));
  }
  const [used, ...others] = [...rates.values()].map(({ ten }) => ten);
  checks.atMost(`${kind}: what another form finds more`, Math.max(...others) - (used ?? 0), 0.05);
}
process.exitCode = checks.exitCode;

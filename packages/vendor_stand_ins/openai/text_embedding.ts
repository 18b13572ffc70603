/**
 * An embedding of a text that needs no model: deterministic, of length 1, and near (in cosine) to those of texts
 * that share words or parts of words with it, whatever their case.
 *
 * Words and the character trigrams and tetragrams inside them are hashed into the dimensions, each with a sign that
 * the hash decides (feature hashing). The input of a word (`<TARGET>…</TARGET> <POS>…</POS> <CONTEXT>…</CONTEXT>`)
 * is taken apart first, and its target weighs most, however long the context is. A small part comes from the
 * exact text alone, so that texts that differ in anything have different vectors.
 *
 * @param dimensions the vector's length, 1 or more.
 */
export function embedText(text: string, dimensions: number): Float32Array {
  const sum = new Float64Array(dimensions);
  for (const segment of segmentsOf(text)) addSegment(sum, segment);
  addIdentity(sum, text);
  const scale = 1 / (norm(sum) || 1);
  const vector = new Float32Array(dimensions);
  for (let i = 0; i < dimensions; i++) vector[i] = (sum[i] ?? 0) * scale;
  return vector;
}

interface Segment {
  readonly text: string;
  readonly weight: number;
}

const wordInput = /^<TARGET>(.*)<\/TARGET> <POS>(.*?)<\/POS> <CONTEXT>(.*)<\/CONTEXT>$/s;

function segmentsOf(text: string): readonly Segment[] {
  const parts = wordInput.exec(text);
  if (parts === null) return [{ text, weight: 1 }];
  const [, target = '', position = '', context = ''] = parts;
  return [
    { text: target, weight: 1 },
    { text: context, weight: 0.4 },
    { text: position, weight: 0.15 },
  ];
}

const words = /\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}]+|[^\s\p{L}\p{N}\p{M}]+/gu;
const letterOrDigit = /[\p{L}\p{N}]/u;
const wordWeight = 1;
const signWeight = 0.3;
const gramWeight = 0.35;
const identityWeight = 0.12;
const identityFeatures = 3;

/** Each segment is brought to length 1 before it is weighed: a long context must not drown a short target. */
function addSegment(sum: Float64Array, { text, weight }: Segment): void {
  const features = new Map<number, number>();
  for (const [word] of text.toLowerCase().matchAll(words)) {
    const meaningful = letterOrDigit.test(word);
    collect(
      features,
      hash(word, 0, word.length, 1),
      meaningful ? wordWeight : signWeight,
      sum.length,
    );
    if (!meaningful) continue;
    const edged = `^${word}$`;
    for (const size of [3, 4]) {
      for (let from = 0; from + size <= edged.length; from++) {
        collect(features, hash(edged, from, from + size, size), gramWeight, sum.length);
      }
    }
  }
  const length = norm([...features.values()]);
  if (length === 0) return;
  const scale = weight / length;
  for (const [at, value] of features) sum[at] = (sum[at] ?? 0) + value * scale;
}

/** The sizes come from the hash as well: with them, few dimensions still tell many texts apart. */
function addIdentity(sum: Float64Array, text: string): void {
  for (let i = 0; i < identityFeatures; i++) {
    const size = hash(text, 0, text.length, 101 + i) / 2 ** 32;
    addFeature(sum, hash(text, 0, text.length, 201 + i), identityWeight * (0.5 + size));
  }
}

function addFeature(vector: Float64Array, hashed: number, weight: number): void {
  const at = placeOf(hashed, vector.length);
  vector[at] = (vector[at] ?? 0) + signOf(hashed) * weight;
}

/** A segment fills few of the dimensions, so only those that it fills are kept. */
function collect(
  features: Map<number, number>,
  hashed: number,
  weight: number,
  dimensions: number,
): void {
  const at = placeOf(hashed, dimensions);
  features.set(at, (features.get(at) ?? 0) + signOf(hashed) * weight);
}

function placeOf(hashed: number, dimensions: number): number {
  return (hashed & 0x7fffffff) % dimensions;
}

function signOf(hashed: number): number {
  return hashed >= 0x80000000 ? -1 : 1;
}

/** FNV-1a over UTF-16 units, mixed at the end so that every bit of it depends on every unit; 32 bits, unsigned. */
function hash(text: string, from: number, to: number, seed: number): number {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = from; i < to; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** By index: a `for … of` over a typed array takes eight times as long. */
function norm(values: Float64Array | readonly number[]): number {
  const { length } = values;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (values[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

import type { ChaosPlan, Wave } from './chaos_plan.ts';

/** A plan for whoever reads what did not hold. */
export function describePlan({ seed, waves }: ChaosPlan): string[] {
  return [
    `plan of seed ${seed}:`,
    ...waves.flatMap((wave, at) => [`wave ${at + 1}:`, ...describeWave(wave).map(indented)]),
  ];
}

function indented(line: string): string {
  return `  ${line}`;
}

function describeWave({ receipts, starts, faults, edits, indexLag, batches }: Wave): string[] {
  return [
    `new receipts: ${receipts.map(({ receipt }) => `${receipt.image_id} ${receipt.receipt_id}`).join(', ')}`,
    `indexes ${indexLag} writes behind, batches end ${batches}`,
    `starts: ${starts
      .map(
        ({ what, afterRequests, input }) =>
          `${what}${input === undefined ? '' : ` ${JSON.stringify(input)}`} @${afterRequests}`,
      )
      .join(', ')}`,
    ...faults.map((fault) => `fault ${shortened(JSON.stringify(fault))}`),
    ...edits.map(
      ({ afterRequests, keys, set }) =>
        `edit @${afterRequests}: ${keys.map(({ PK, SK }) => `${PK}#${SK}`).join(', ')} ${set === undefined ? 'deleted' : JSON.stringify(set)}`,
    ),
  ];
}

/** What vendors quote is long, and always the same. */
function shortened(text: string): string {
  return text.replace(/'[Qa-z ]+' with the key [^"]+/, '…');
}

import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { declaration as noteArrivals } from '../simple_lambdas/note_arrivals/declaration.ts';
import { type DeclaredFunction, STORE_NAMES } from '../simple_lambdas/runtime/declaration.ts';
import { declaration as searchReceipts } from '../simple_lambdas/search_receipts/declaration.ts';
import { declaration as startArrivals } from '../simple_lambdas/start_arrivals/declaration.ts';
import { functionsOf } from './state_machines/workflows.ts';

/** The functions that are invoked by no workflow, but by whoever wants to know something. */
const ASKED_FUNCTIONS: readonly DeclaredFunction[] = [searchReceipts];

/** The functions that what arrives in the table sets in motion. */
const ARRIVAL_FUNCTIONS: readonly DeclaredFunction[] = [noteArrivals, startArrivals];

/** What a stack's functions depend on, as its settings say. */
interface StackParts {
  readonly vector_stores: readonly StoreName[];
  readonly embed_on_arrival: boolean;
}

/** Every function of a stack with these settings. */
export function stackFunctions({
  vector_stores,
  embed_on_arrival,
}: StackParts): readonly DeclaredFunction[] {
  return [
    ...functionsOf(undefined, vector_stores),
    ...ASKED_FUNCTIONS,
    ...(embed_on_arrival ? ARRIVAL_FUNCTIONS : []),
  ];
}

/** Every function that a stack may have: names, bundles and what is measured of them are made for all. */
export const STACK_FUNCTIONS = stackFunctions({
  vector_stores: STORE_NAMES,
  embed_on_arrival: true,
});

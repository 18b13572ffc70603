import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { STORE_NAMES } from '../simple_lambdas/runtime/declaration.ts';
import { declaration as searchReceipts } from '../simple_lambdas/search_receipts/declaration.ts';
import type { DeclaredFunction } from './state_machines/shared_states.ts';
import { functionsOf } from './state_machines/workflows.ts';

/** The functions that are invoked by no workflow, but by whoever wants to know something. */
const ASKED_FUNCTIONS: readonly DeclaredFunction[] = [searchReceipts];

/** Every function of a stack with these stores. */
export function stackFunctions(stores: readonly StoreName[]): readonly DeclaredFunction[] {
  return [...functionsOf(undefined, stores), ...ASKED_FUNCTIONS];
}

/** Every function that a stack may have: names, bundles and what is measured of them are made for all. */
export const STACK_FUNCTIONS = stackFunctions(STORE_NAMES);

import type { JsonValue } from '../data/json_value.ts';
import { isWithinPayloadLimit } from '../data/payload_text.ts';
import { maxNameLength, maxPayloadBytes } from '../execution/limits.ts';
import { ApiError, invalidMember } from './api_error.ts';

// White space, brackets, wildcards, special and control characters (API reference of StartExecution).
const forbiddenInNames = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u;

/** @throws ApiError InvalidName for a name that holds what a name must not. */
export function requireName(name: string): void {
  if (name.length > maxNameLength) {
    throw invalidMember(
      'name',
      name,
      `Member must have length less than or equal to ${maxNameLength}`,
    );
  }
  if (name === '' || forbiddenInNames.test(name)) {
    throw new ApiError('InvalidName', `Invalid Name: '${name}'`);
  }
}

/** @throws ApiError InvalidExecutionInput for what is no JSON or too large. */
export function parseExecutionInput(text: string): JsonValue {
  if (!isWithinPayloadLimit(text)) {
    throw invalidInput(`the input is larger than ${maxPayloadBytes} bytes`);
  }
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw invalidInput(error instanceof Error ? error.message : String(error));
  }
}

function invalidInput(reason: string): ApiError {
  return new ApiError(
    'InvalidExecutionInput',
    `Invalid State Machine Execution Input: '${reason}'`,
  );
}

import { StateError } from '../execution/state_error.ts';
import { type EvaluationScope, IntrinsicExpression, PathNotFound } from './intrinsic_expression.ts';
import { JsonPath } from './json_path.ts';
import { isJsonObject, type JsonValue } from './json_value.ts';

/**
 * A payload template (`Parameters`, `ItemSelector`, `ResultSelector`, …) filled in: each field whose name
 * ends in `.$` gets the value of its path or intrinsic call, under the name without it.
 *
 * @throws StateError States.Runtime for a path that leads nowhere, States.IntrinsicFailure for a call that fails.
 */
export function fillTemplate(template: JsonValue, scope: EvaluationScope): JsonValue {
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item, scope));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) =>
      key.endsWith('.$') && typeof value === 'string'
        ? [key.slice(0, -2), evaluateExpression(value, key, scope)]
        : [key, fillTemplate(value, scope)],
    ),
  );
}

/**
 * The value of a path (`$…`, `$$…`) or an intrinsic call.
 *
 * @param field the field of the definition, for the message.
 * @throws StateError as fillTemplate does.
 */
export function evaluateExpression(
  expression: string,
  field: string,
  scope: EvaluationScope,
): JsonValue {
  if (expression.startsWith('$')) {
    const value = new JsonPath(expression).find(scope.data, scope.context);
    if (value === undefined) throw pathNotFound(expression, field, scope.data);
    return value;
  }
  try {
    return new IntrinsicExpression(expression).evaluate(scope);
  } catch (error) {
    if (error instanceof PathNotFound) throw pathNotFound(error.path, field, scope.data);
    throw new StateError(
      'States.IntrinsicFailure',
      `The call '${expression}' of the field '${field}' failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function pathNotFound(path: string, field: string, data: JsonValue): StateError {
  return new StateError(
    'States.Runtime',
    `The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${JSON.stringify(data)}'`,
  );
}

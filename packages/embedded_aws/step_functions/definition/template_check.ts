import { IntrinsicExpression } from '../data/intrinsic_expression.ts';
import { JsonPath } from '../data/json_path.ts';
import { isJsonObject, type JsonValue } from '../data/json_value.ts';

/** @returns the problems of a payload template, each with the place it is at. */
export function templateProblems(template: JsonValue | undefined, where: string): string[] {
  if (Array.isArray(template)) {
    return template.flatMap((item, index) => templateProblems(item, `${where}[${index}]`));
  }
  if (!isJsonObject(template)) return [];
  return Object.entries(template).flatMap(([key, value]) => {
    if (!key.endsWith('.$')) return templateProblems(value, `${where}.${key}`);
    if (typeof value !== 'string')
      return [`${where}.${key} must be a JSONPath or an intrinsic call`];
    return expressionProblems(value, `${where}.${key}`);
  });
}

/** @returns the problem of a path or an intrinsic call, if it has one. */
export function expressionProblems(expression: string, where: string): string[] {
  try {
    if (expression.startsWith('$')) new JsonPath(expression);
    else new IntrinsicExpression(expression);
    return [];
  } catch (error) {
    return [`${where}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** @returns the problem of a path, if it has one. */
export function pathProblems(path: JsonValue | undefined, where: string): string[] {
  if (path === undefined || path === null) return [];
  if (typeof path !== 'string' || !path.startsWith('$')) return [`${where} must be a JSONPath`];
  return expressionProblems(path, where);
}

/** @returns the problem of a `ResultPath`, if it has one: it has to point to one place of the state's data. */
export function resultPathProblems(path: JsonValue | undefined, where: string): string[] {
  const problems = pathProblems(path, where);
  if (problems.length > 0 || typeof path !== 'string') return problems;
  const parsed = new JsonPath(path);
  return parsed.isReference && !parsed.isContext
    ? []
    : [`${where} must be a reference path into the state's data`];
}

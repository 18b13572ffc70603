/** An error of the Step Functions API: its type is what clients switch on. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** @param constraint what the member must do, as AWS words it: "Member must not be null", … */
export function invalidMember(member: string, value: string | null, constraint: string): ApiError {
  const shown = value === null ? 'Value null' : `Value '${value}'`;
  return new ApiError(
    'ValidationException',
    `1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

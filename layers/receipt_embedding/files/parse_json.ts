/** @returns undefined for a text that is no JSON, which every schema then refuses. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

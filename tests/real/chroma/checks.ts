/** Runs one check, and prints how it went. One that fails makes the program end with 1; those after it run all the same. */
export async function check(what: string, holds: () => Promise<string | undefined>): Promise<void> {
  try {
    const detail = await holds();
    console.log(`ok     ${what}${detail === undefined ? '' : `: ${detail}`}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

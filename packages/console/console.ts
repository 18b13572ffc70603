import { consoleApi } from './api.ts';
import { pageFiles } from './page_files.ts';
import type { ConsolePorts } from './ports.ts';
import { type RunningConsole, serveConsole } from './server.ts';

/**
 * Serves the page of a stack on loopback.
 *
 * @param port 0 takes any free one.
 * @throws when the port can't be had.
 * @example
 * const page = await startConsole(ports, 0);
 * console.log(page.url); // http://127.0.0.1:40123/?key=…
 * await page.close();
 */
export async function startConsole(ports: ConsolePorts, port: number): Promise<RunningConsole> {
  return await serveConsole({ port, files: await pageFiles(), ...consoleApi(ports) });
}

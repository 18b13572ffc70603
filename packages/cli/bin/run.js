// For the npm scripts: `node packages/cli/bin/run.js FILE [arguments]`.
import process from 'node:process';
import { runWithProjectNode } from './project_node.js';

const [program = '', ...argv] = process.argv.slice(2);
runWithProjectNode(program, argv);

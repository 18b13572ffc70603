#!/usr/bin/env node
// The bin of the package.
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';
import { runWithProjectNode } from './project_node.js';

runWithProjectNode(
  fileURLToPath(new URL('../receipts.ts', import.meta.url)),
  process.argv.slice(2),
);

import { declareFunction } from '../runtime/declaration.ts';

export const declaration = declareFunction({
  name: 'take_execution_lock',
  description: 'Lets one execution of a kind run at a time',
  memory_mb: 512,
  table: { rows: ['GetItem', 'UpdateItem'] },
  describes_executions: true,
});

import languages from '@pulumi/pulumi/proto/language_grpc_pb.js';
import messages from '@pulumi/pulumi/proto/language_pb.js';
import plugin from '@pulumi/pulumi/proto/plugin_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { serve } from '../grpc/serve.ts';
import { unary } from '../grpc/unary.ts';
import { runPolicyPack, runProgram } from './run_node.ts';

/*
 * Pulumi's language host for Node.js, as far as a deployment needs it: Pulumi's own is a Go module that can't be
 * had everywhere. It starts the program, and a policy pack, as that one does: through @pulumi/pulumi's own
 * entry points. The engine starts it with its own address, and reads the port from the first line.
 */
const engine = process.argv.at(-1) ?? '';

const { port } = await serve(languages.LanguageRuntimeService, {
  handshake: unary(() => new messages.LanguageHandshakeResponse()),
  cancel: unary(() => new empty.Empty()),
  getPluginInfo: unary(() => new plugin.PluginInfo()),
  // The AWS provider is there already.
  getRequiredPackages: unary(() => new messages.GetRequiredPackagesResponse()),
  run: unary((request: messages.RunRequest) => runProgram(request, engine)),
  runPlugin: runPolicyPack,
});
process.stdout.write(`${port}\n`);

import plugin from '@pulumi/pulumi/proto/plugin_pb.js';
import services from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import messages from '@pulumi/pulumi/proto/provider_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';
import { type RunningService, serve } from '../grpc/serve.ts';
import { unary } from '../grpc/unary.ts';
import type { Account } from './account.ts';
import { call } from './functions.ts';
import { type Properties, withoutMarks } from './properties.ts';
import { checked, created, difference, planned, updated } from './provider.ts';

/** The SDK's, which asks for its own. */
const VERSION = '7.48.0';

/** Serves an account as Pulumi's engine asks an AWS provider (its ResourceProvider protocol), on a free port. */
export function serveAwsProvider(account: Account): Promise<RunningService> {
  return serve(services.ResourceProviderService, {
    ...protocol,
    ...configuration,
    ...planning,
    ...deployment(account),
  });
}

const protocol = {
  handshake: unary(() => new messages.ProviderHandshakeResponse().setAcceptSecrets(true)),
  attach: unary(() => new empty.Empty()),
  cancel: unary(() => new empty.Empty()),
  getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(VERSION)),
  getSchema: unary(() => new messages.GetSchemaResponse().setSchema('{"name": "aws"}')),
};

const configuration = {
  checkConfig: unary((request: messages.CheckRequest) =>
    new messages.CheckResponse().setInputs(request.getNews()),
  ),
  diffConfig: unary(() =>
    new messages.DiffResponse().setChanges(messages.DiffResponse.DiffChanges.DIFF_NONE),
  ),
  configure: unary(() =>
    new messages.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true),
  ),
};

const planning = {
  check: unary((request: messages.CheckRequest) => {
    const { inputs, failures } = checked(
      request.getType(),
      request.getName(),
      read(request.getOlds()),
      read(request.getNews()),
      request.getRandomseed_asU8(),
    );
    return new messages.CheckResponse()
      .setInputs(written(inputs))
      .setFailuresList(
        failures.map(({ property, reason }) =>
          new messages.CheckFailure().setProperty(property).setReason(reason),
        ),
      );
  }),
  diff: unary((request: messages.DiffRequest) => {
    const { changed, replacing, deleteBeforeReplace } = difference(
      request.getType(),
      read(request.getOldInputs()),
      read(request.getNews()),
    );
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    return new messages.DiffResponse()
      .setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME)
      .setDiffsList([...changed])
      .setReplacesList([...replacing])
      .setDeletebeforereplace(deleteBeforeReplace);
  }),
};

function deployment(account: Account) {
  return {
    invoke: unary((request: messages.InvokeRequest) =>
      new messages.InvokeResponse().setReturn(
        written(call(account, request.getTok(), withoutMarks(read(request.getArgs())))),
      ),
    ),
    create: unary(async (request: messages.CreateRequest) => {
      const inputs = read(request.getProperties());
      if (request.getPreview()) {
        return new messages.CreateResponse().setProperties(written(planned(inputs)));
      }
      const { id, state } = await created(account, request.getType(), request.getName(), inputs);
      return new messages.CreateResponse().setId(id).setProperties(written(state));
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const inputs = read(request.getNews());
      const state = request.getPreview()
        ? { ...read(request.getOlds()), ...inputs }
        : await updated(account, request.getType(), request.getId(), inputs);
      return new messages.UpdateResponse().setProperties(written(state));
    }),
    read: unary((request: messages.ReadRequest) => {
      const exists = account.find(request.getType(), request.getId()) !== undefined;
      return new messages.ReadResponse()
        .setId(exists ? request.getId() : '')
        .setInputs(request.getInputs())
        .setProperties(request.getProperties());
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      await account.delete(request.getType(), request.getId());
      return new empty.Empty();
    }),
  };
}

function read(properties: struct.Struct | undefined): Properties {
  return properties?.toJavaScript() ?? {};
}

function written(properties: Properties): struct.Struct {
  return struct.Struct.fromJavaScript(properties as Record<string, struct.JavaScriptValue>);
}

import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

export interface RunningService {
  readonly port: number;
  readonly close: () => void;
}

/** Serves these methods of a service on a free port of this machine; the others are "unimplemented". */
export async function serve(
  service: ServiceDefinition,
  methods: UntypedServiceImplementation,
): Promise<RunningService> {
  const server = new Server();
  server.addService(service, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    close: () => {
      server.forceShutdown();
    },
  };
}

import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

/** What all functions run on. */
export const RUNTIME = { runtime: 'nodejs24.x', architecture: 'arm64' } as const;

export interface SharedLayerArgs {
  /** The folder that bundleLayer has written. */
  readonly folder: string;
}

/** The shared layer: our package with its DynamoDB, S3 and OpenAI clients. */
export class SharedLayer extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: SharedLayerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:SharedLayer', name, {}, opts);
    const layer = new aws.lambda.LayerVersion(
      `${name}-version`,
      {
        layerName: `receipt-embedding-layer-${pulumi.getStack()}`,
        code: new pulumi.asset.FileArchive(args.folder),
        compatibleRuntimes: [RUNTIME.runtime],
        compatibleArchitectures: [RUNTIME.architecture],
      },
      { parent: this },
    );
    this.arn = layer.arn;
    this.registerOutputs({ arn: this.arn });
  }
}

import { registeredState } from 'embedded-aws/deployment/registered_state';
import { Latency } from './latency.ts';
import type { Properties } from './properties.ts';
import { refusalOfCreation, refusalOfDeletion, VECTOR_INDEX } from './refusals.ts';

/** A resource that exists in the account. */
export interface StoredResource {
  readonly type: string;
  readonly id: string;
  /** Its name in the program. */
  readonly name: string;
  /** What the program asked for, and what AWS added, without marks. */
  readonly state: Properties;
}

/** Something that was done to the account. */
export interface Change {
  readonly action: 'create' | 'update' | 'delete';
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
}

/** What AWS answers when it refuses. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

export const REGION = 'us-east-1';
export const ACCOUNT_ID = '123456789012';

/** An AWS account: what is in it, and what was done to it. Whatever AWS itself would refuse, it refuses. */
export class Account {
  readonly #resources = new Map<string, StoredResource>();
  readonly #latency = new Latency();
  #changes: Change[] = [];
  #failing: RegExp | undefined;
  #created = 0;
  /** How many objects each bucket holds. */
  readonly objects = new Map<string, number>();
  /** Names of secrets that were deleted, but may still be restored. */
  readonly restorableSecrets = new Set<string>();

  get resources(): readonly StoredResource[] {
    return [...this.#resources.values()];
  }

  /** What was done since this was asked last. */
  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Lets the creation of a resource of this name in the program fail; undefined: none any more. */
  failCreationOf(name: RegExp | undefined): void {
    this.#failing = name;
  }

  find(type: string, id: string): StoredResource | undefined {
    return this.#resources.get(`${type} ${id}`);
  }

  /** Those of a type with these properties. */
  with(type: string, properties: Properties): readonly StoredResource[] {
    return this.resources.filter(
      (resource) =>
        resource.type === type &&
        Object.entries(properties).every(([name, value]) => resource.state[name] === value),
    );
  }

  /** @throws Refused */
  async create(type: string, name: string, inputs: Properties): Promise<StoredResource> {
    await this.#latency.passes(type);
    if (this.#failing?.test(name) === true) {
      throw new Refused('InternalServerError: AWS could not do it just now');
    }
    const refusal = refusalOfCreation(this, type, inputs);
    if (refusal !== undefined) throw new Refused(refusal);
    const resource = { type, name, ...this.#identify(type, name, inputs) };
    this.#store(resource);
    this.#changes.push({ action: 'create', type, name });
    return resource;
  }

  /** @throws Refused */
  async update(type: string, id: string, inputs: Properties): Promise<StoredResource> {
    await this.#latency.passes(type);
    const before = this.#existing(type, id);
    const resource = { ...before, state: { ...computed(before), ...inputs } };
    this.#store(resource);
    this.#changes.push({ action: 'update', type, name: before.name });
    return resource;
  }

  /** @throws Refused */
  async delete(type: string, id: string): Promise<void> {
    await this.#latency.passes(type);
    const resource = this.#existing(type, id);
    const refusal = refusalOfDeletion(this, resource);
    if (refusal !== undefined) throw new Refused(refusal);
    if (type === 'aws:s3/bucket:Bucket') this.objects.delete(id);
    if (type === 'aws:secretsmanager/secret:Secret' && resource.state['recoveryWindowInDays'] !== 0)
      this.restorableSecrets.add(String(resource.state['name']));
    // The provider removes every index that it finds, also one that Pulumi has forgotten.
    if (type === 'aws:s3/vectorsVectorBucket:VectorsVectorBucket') {
      const { vectorBucketName } = resource.state;
      for (const index of this.with(VECTOR_INDEX, { vectorBucketName })) {
        this.#resources.delete(`${index.type} ${index.id}`);
      }
    }
    this.#resources.delete(`${type} ${id}`);
    this.#changes.push({ action: 'delete', type, name: resource.name });
  }

  #existing(type: string, id: string): StoredResource {
    const resource = this.find(type, id);
    if (resource === undefined) throw new Refused(`ResourceNotFoundException: ${type} ${id}`);
    return resource;
  }

  #store(resource: StoredResource): void {
    this.#resources.set(`${resource.type} ${resource.id}`, resource);
  }

  #identify(
    type: string,
    name: string,
    inputs: Properties,
  ): { readonly id: string; readonly state: Properties } {
    const { id, state } = registeredState(type, name, inputs, {
      project: 'receipt-embeddings',
      region: REGION,
      accountId: ACCOUNT_ID,
    });
    this.#created++;
    if (type === 'aws:lambda/layerVersion:LayerVersion') {
      const arn = String(state['arn']).replace(/1$/, String(this.#created));
      return { id: arn, state: { ...state, arn } };
    }
    // Only these have a name of their own as their id; the others would be taken for one another.
    return id === name ? { id: `${name}-${this.#created}`, state } : { id, state };
  }
}

/** What AWS adds to a resource. */
export const ARNS: readonly string[] = ['arn', 'indexArn', 'streamArn', 'url', 'vectorBucketArn'];

function computed({ state }: StoredResource): Properties {
  return Object.fromEntries(ARNS.filter((key) => key in state).map((key) => [key, state[key]]));
}

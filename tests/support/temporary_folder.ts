/**
 * A fresh folder for each test.
 *
 * @module
 */

/** A folder that is removed with all that is in it at the end of the block it was made in. */
export class TemporaryFolder implements Disposable {
  readonly path: string;

  /** @param parent the folder to make it in, if not the usual one */
  constructor(parent?: string) {
    this.path = Deno.makeTempDirSync({ prefix: "vhost-device-", ...(parent && { dir: parent }) });
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

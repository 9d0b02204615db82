/**
 * GPIO chips of the kernel's own making (gpio-sim), for tests that run inside a guest.
 *
 * @module
 */

const CONFIG = "/sys/kernel/config/gpio-sim";
const DRIVER = "/sys/bus/platform/drivers/gpio-sim";

/** How a line is to be. */
export interface SimLine {
  readonly name?: string;
  /** Has the kernel itself take the line, under this name. */
  readonly hog?: string;
  readonly hogDirection?: "input" | "output-high" | "output-low";
}

/** How a chip is to be. */
export interface SimOptions {
  readonly lines: number;
  readonly label?: string;
  /** What is special about lines, by number. */
  readonly special?: Readonly<Record<number, SimLine>>;
}

let count = 0;

/** A chip whose lines can be pulled up and down, and looked at from outside. */
export class GpioSim implements Disposable {
  /** For example `gpiochip0`. */
  readonly name: string;
  readonly lineCount: number;
  readonly #folder = `${CONFIG}/sim${count++}`;
  readonly #made: string[] = [];
  readonly #device: string;
  readonly #lines: string;

  constructor(options: SimOptions) {
    const bank = `${this.#folder}/bank`;
    this.lineCount = options.lines;
    this.#make(this.#folder);
    this.#make(bank);
    Deno.writeTextFileSync(`${bank}/num_lines`, `${options.lines}`);
    if (options.label !== undefined) Deno.writeTextFileSync(`${bank}/label`, options.label);
    for (const [line, special] of Object.entries(options.special ?? {})) {
      this.setSpecial(Number(line), special);
    }
    this.setLive(true);
    this.name = Deno.readTextFileSync(`${bank}/chip_name`).trim();
    this.#device = Deno.readTextFileSync(`${this.#folder}/dev_name`).trim();
    this.#lines = `/sys/devices/platform/${this.#device}/${this.name}`;
  }

  /** Says what is special about a line; for a chip that is not there at the moment. */
  setSpecial(line: number, { name, hog, hogDirection = "input" }: SimLine): void {
    const folder = `${this.#folder}/bank/line${line}`;
    this.#make(folder);
    if (name !== undefined) Deno.writeTextFileSync(`${folder}/name`, name);
    if (hog === undefined) return;
    this.#make(`${folder}/hog`);
    Deno.writeTextFileSync(`${folder}/hog/name`, hog);
    Deno.writeTextFileSync(`${folder}/hog/direction`, hogDirection);
  }

  /** For example `/dev/gpiochip0`. */
  get path(): string {
    return `/dev/${this.name}`;
  }

  get number(): number {
    return Number(this.name.slice("gpiochip".length));
  }

  /** Pulls a line up (1) or down (0), as something outside of the chip would. */
  pull(line: number, value: number): void {
    const text = value === 1 ? "pull-up" : "pull-down";
    Deno.writeTextFileSync(`${this.#lines}/sim_gpio${line}/pull`, text);
  }

  /** The level that a line has: what it is pulled to, or what it drives. */
  level(line: number): number {
    return Number(Deno.readTextFileSync(`${this.#lines}/sim_gpio${line}/value`));
  }

  /** Takes the chip from its driver, or gives it back. */
  setBound(bound: boolean): void {
    Deno.writeTextFileSync(`${DRIVER}/${bound ? "bind" : "unbind"}`, this.#device);
  }

  /** Makes the chip appear or disappear with its device. */
  setLive(live: boolean): void {
    Deno.writeTextFileSync(`${this.#folder}/live`, live ? "1" : "0");
  }

  #make(folder: string): void {
    Deno.mkdirSync(folder);
    this.#made.push(folder);
  }

  [Symbol.dispose](): void {
    this.setLive(false);
    for (const folder of this.#made.reverse()) Deno.removeSync(folder);
  }
}

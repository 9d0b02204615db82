/**
 * From what the user has asked for to what each guest gets of this host.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { chipTitle, findChip } from "./find_chips.ts";
import type { ChipChoice, HostSettings } from "./settings.ts";
import type { GpioChoice, ResolvedChip } from "../settings.ts";
import { chooseLines, refuseOverlap } from "./choose_lines.ts";

function resolve(choice: ChipChoice, guest: number, log: Logger): HostSettings {
  const { path, chip, label, names } = findChip(choice.chip);
  const title = chipTitle({ chip, label });
  const lines = chooseLines(
    { title, names },
    choice.lines,
    (message) => log.warn(`guest ${guest}: ${message}`),
  );
  return { kind: "host", path, chip, label, lines };
}

/**
 * Looks up the chips and lines.
 *
 * @throws {UsageError} if guests would share a line
 * @throws {RuntimeError} if this host does not have what is asked for
 */
export function resolveGuests(choices: readonly GpioChoice[], log: Logger): ResolvedChip[] {
  const settings = choices.map((choice, guest) =>
    choice.kind === "host" ? resolve(choice, guest, log) : choice
  );
  refuseOverlap(
    settings.flatMap((settings, guest) => settings.kind === "host" ? [{ guest, settings }] : []),
  );
  const whole = settings.filter((chip, guest): chip is HostSettings => {
    const choice = choices[guest];
    return chip.kind === "host" && choice.kind === "host" && choice.lines === undefined;
  });
  if (whole.length > 0) {
    const chips = whole.map(({ chip }) => chip).join(", ");
    log.warn(
      `guests get all lines of ${chips}; name the lines to give them fewer, as in ` +
        `-l '${whole[0].chip}[0,1]' or with 'lines' in the configuration file`,
    );
  }
  return settings;
}

import { assert } from "@std/assert";
import { i2cParts } from "../../../lib/i2c/simulated/parts.ts";
import { checkValue } from "../../../lib/simulation/check_value.ts";
import { OnBus } from "../../support/on_bus.ts";
import { Random } from "../../support/random.ts";

const ROUNDS = 2000;

/** Bytes as they are likely to lead somewhere: small ones, all bits, any. */
function byte(random: Random): number {
  return random.pick([random.below(16), random.below(256), 0xff, 0x80 | random.below(128)]);
}

for (const model of i2cParts.models) {
  Deno.test(`${model.name}: whatever a guest writes, it answers with bytes, and its properties make sense`, () => {
    const random = new Random(20_261);
    const chip = new OnBus(model.name);
    for (let round = 0; round < ROUNDS; round++) {
      const count = 1 + random.below(3);
      const messages = Array.from(
        { length: count },
        () =>
          random.oneIn(2)
            ? random.below(20)
            : Array.from({ length: random.below(12) }, () => byte(random)),
      );
      const offset = random.below(model.addressCount ?? 1);
      const answer = chip.transaction(messages, offset, random.below(2));
      const bytes = typeof answer === "string" ? [] : answer;
      assert(bytes.every((one) => Number.isInteger(one) && one >= 0 && one <= 255), `${bytes}`);
      for (const [name, property] of Object.entries(model.properties)) {
        if (property.type === "bytes") continue;
        const value = chip.get(name);
        if (value !== undefined) checkValue(property, value, {});
      }
    }
  });
}

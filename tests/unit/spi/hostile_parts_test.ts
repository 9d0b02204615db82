import { assert } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { checkValue } from "../../../lib/simulation/check_value.ts";
import {
  contextOf,
  interruptsOf,
  Simulation,
  stateOf,
} from "../../../lib/simulation/simulation.ts";
import { FAILED } from "../../../lib/spi/simulated/part.ts";
import { spiParts } from "../../../lib/spi/simulated/parts.ts";
import { Random } from "../../support/random.ts";

const ROUNDS = 3000;
const log = getLogger(["test"]);

/** Bytes as they are likely to lead somewhere: commands, all bits, any. */
function byte(random: Random): number {
  return random.pick([random.below(16), random.below(256), 0xff, 0x80 | random.below(64), 0x2d]);
}

for (const model of spiParts.models) {
  Deno.test(`${model.name}: whatever a guest sends, bytes come back, and its properties make sense`, () => {
    const random = new Random(20_262);
    const simulation = new Simulation();
    const description = spiParts.usual(model.name);
    const powered = simulation.powerUp(model, description);
    const part = model.create(contextOf(model, powered, log), 0);
    const pins = interruptsOf(model, powered);
    const state = stateOf(powered);
    for (let round = 0; round < ROUNDS; round++) {
      for (let transfers = 1 + random.below(3); transfers > 0; transfers--) {
        const sent = Uint8Array.from({ length: random.below(40) }, () => byte(random));
        const received = sent.slice();
        if (part.exchangeAll !== undefined) part.exchangeAll(sent, received, 0, sent.length);
        else {
          for (const one of sent) {
            const back = part.exchange(one);
            const isByte = Number.isInteger(back) && back >= 0 && back <= 255;
            assert(isByte || back === FAILED, `${back}`);
          }
        }
        assert(typeof part.expectsMore === "boolean");
      }
      part.deselect();
      assert(!part.expectsMore, "it expects more of a message that is over");
      pins?.look();
      for (const [name, property] of Object.entries(model.properties)) {
        const live = model.live?.[name];
        if (property.type === "bytes" || live === undefined) continue;
        checkValue(property, live.get(state, powered.settings), {});
      }
    }
  });
}

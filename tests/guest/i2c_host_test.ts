import { cases as messages } from "./i2c_host/messages.ts";
import { cases as smbus } from "./i2c_host/smbus.ts";
import { cases as special } from "./i2c_host/special.ts";
import { runModule, testCases } from "./spi/case.ts";

function boot(file: string, ...parameters: string[]): () => Promise<string> {
  const options = parameters.flatMap((parameter) => ["-a", parameter]);
  const module = new URL(`./i2c_host/${file}`, import.meta.url);
  return () => runModule(module, { options, limit: 180 });
}

const plain = ["uml_sim.i2c=2", "uml_sim.i2c_name=main,spare", "uml_sim.smbus=1"];
testCases(messages, boot("messages.ts", ...plain));

testCases(smbus, boot("smbus.ts", "uml_sim.smbus=1", "i2c_stub.chip_addr=0x50,0x51"));

const odd = ["uml_sim.i2c_10bit=1", "uml_sim.i2c_noquick=1", "uml_sim.i2c_max=16"];
testCases(special, boot("special.ts", "uml_sim.i2c=2", "uml_sim.smbus=1", ...odd));

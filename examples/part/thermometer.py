#!/usr/bin/env python3
"""A thermometer on a simulated I2C bus that this program serves.

    vhost-device-i2c -s /tmp/i2c.sock --config thermometer.yaml --control /tmp/i2c.control
    ./thermometer.py /tmp/i2c.control thermometer
    vhost-device-ctl -c /tmp/i2c.control set thermometer.temperature=30.5

thermometer.yaml:

    adapters: [{ simulated: { parts: [{ part: remote, address: 0x48, name: thermometer }] } }]

It has the registers of a TMP100, for which Linux' driver is lm75: the first byte that is written
chooses one, and those that are read begin with its high byte. 0 is the temperature in 1/256 °C,
1 the configuration, 2 the hysteresis and 3 the limit, beyond which it calls.
"""

import json
import socket
import sys


class Thermometer:
    PROPERTIES = [
        {"name": "temperature", "type": "number", "set": "running", "from": -55, "to": 125,
         "step": 0.0625, "unit": "°C", "value": 25, "help": "what it measures"},
        {"name": "limit", "type": "number", "from": -128, "to": 128, "unit": "°C", "value": 80,
         "help": "the limit that the guest has set"},
    ]
    SIZES = [2, 1, 2, 2]

    def __init__(self):
        self.pointer = 0
        self.registers = [25 * 256, 0, 75 * 256, 80 * 256]

    def write(self, data):
        """A message of the guest's; returns the properties that it has changed."""
        if not data:
            return {}
        self.pointer = data[0] % 4
        if len(data) == 1 or self.pointer == 0:
            return {}
        self.registers[self.pointer] = int.from_bytes(data[1:3], "big", signed=self.pointer > 1)
        return {"limit": self.registers[3] / 256, "interrupt": self.calls()}

    def read(self, length):
        """The bytes that the guest reads."""
        size = self.SIZES[self.pointer]
        value = self.registers[self.pointer].to_bytes(size, "big", signed=size > 1)
        return (value * length)[:length]

    def set(self, name, value):
        """Somebody sets a property; only one can be."""
        self.registers[0] = round(value * 16) * 16
        return {"interrupt": self.calls()}

    def calls(self):
        return self.registers[0] > self.registers[3]


def serve(path, thing, part):
    """Serves a part until the daemon ends the connection."""
    control = socket.socket(socket.AF_UNIX)
    control.connect(path)

    def send(**message):
        control.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def tell(values):
        if values:
            send(method="tell", params={"thing": thing, "values": values})

    send(id="serve", method="serve", params={"thing": thing, "properties": part.PROPERTIES})
    for line in control.makefile("r"):
        message = json.loads(line)
        params = message.get("params", {})
        if "error" in message:
            sys.exit(f"{path}: {message['error']['message']}")
        elif message.get("id") == "serve":
            print(f"serving {thing}", flush=True)
        elif message.get("method") == "set":
            tell(part.set(params["name"], params["value"]))
        elif message.get("method") == "transfer" and "read" in params:
            send(id=message["id"], result={"data": part.read(params["read"]).hex()})
        elif message.get("method") == "transfer":
            changed = part.write(bytes.fromhex(params["write"]))
            send(id=message["id"], result={})
            tell(changed)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], Thermometer())

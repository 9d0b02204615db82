# Sourced within the guest of the demo, after demo/guest.sh.

title "I2C: an EEPROM, a temperature sensor, a register file"
show "i2cdetect -y 1    # UU: taken by a driver of the guest's kernel"
show "printf 'hello from the guest' | dd of=/sys/bus/i2c/devices/1-0050/eeprom status=none"
show "head -c 32 /sys/bus/i2c/devices/1-0050/eeprom | hexdump -C"
show "cat /sys/class/hwmon/hwmon0/temp1_input    # thousandths of a degree"
show "i2cset -y 1 0x20 0x07 0x5a; i2cget -y 1 0x20 0x07"
show "i2ctransfer -y 1 w1@0x20 0x07 r1    # a repeated start between the two"

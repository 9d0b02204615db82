# Run inside the guest by scripts/demo.sh: shows each command, then what it does.

prompt() {
	printf '\n\033[1mguest# %s\033[0m\n' "$*"
}

show() {
	prompt "$1"
	eval "$1"
}

title() {
	printf '\n\033[1;36m=== %s\033[0m\n' "$*"
}

title "GPIO: lines with names, and a wire between two of them"
show "gpiodetect"
show "gpioinfo"
show "gpioset -t 100ms,0 'red LED=1' 'green LED=0'    # red for 0.1 s, then green"
show "gpioget lid 'relay sense'"
prompt "gpiomon -n 2 'relay sense' &    # an edge, through a wire"
gpiomon -n 2 'relay sense' &
until gpioinfo 'relay sense' | grep -q consumer; do :; done
show "gpioset -t 50ms,0 relay=1"
wait

title "I2C: an EEPROM, a temperature sensor, a register file"
show "i2cdetect -y 1    # UU: taken by a driver of the guest's kernel"
show "printf 'hello from the guest' | dd of=/sys/bus/i2c/devices/1-0050/eeprom status=none"
show "head -c 32 /sys/bus/i2c/devices/1-0050/eeprom | hexdump -C"
show "cat /sys/class/hwmon/hwmon0/temp1_input    # thousandths of a degree"
show "i2cset -y 1 0x20 0x07 0x5a; i2cget -y 1 0x20 0x07"
show "i2ctransfer -y 1 w1@0x20 0x07 r1    # a repeated start between the two"

title "SPI: a loopback and a flash chip"
show "printf 'there and back' | spi-pipe -d /dev/spidev0.0 -b 14 -n 1; echo"
show "cat /proc/mtd"
show "printf 'kept in the flash' | dd of=/dev/mtdblock0 status=none; sync"
show "head -c 32 /dev/mtdblock0 | hexdump -C"

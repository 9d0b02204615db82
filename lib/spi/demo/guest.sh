# Sourced within the guest of the demo, after demo/guest.sh.

title "SPI: a loopback and a flash chip"
show "printf 'there and back' | spi-pipe -d /dev/spidev0.0 -b 14 -n 1; echo"
show "cat /proc/mtd"
show "printf 'kept in the flash' | dd of=/dev/mtdblock0 status=none; sync"
show "head -c 32 /dev/mtdblock0 | hexdump -C"

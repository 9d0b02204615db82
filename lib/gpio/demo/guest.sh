# Sourced within the guest of the demo, after demo/guest.sh.

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
prompt "gpiomon -n 2 button    # now the host presses it"
gpiomon -n 2 button

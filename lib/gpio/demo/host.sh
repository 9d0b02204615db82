# Sourced on the host of the demo while its guest runs.

ctl -c "$dir/gpio" wait button.interrupt=both
show -c "$dir/gpio" pulse button --for 50ms

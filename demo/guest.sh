# Sourced within the guest of the demo, before the guest.sh of each device: shows each
# command, then what it does.

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

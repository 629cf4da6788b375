# A disk that fails, is slow, or forgets: the shim of tests/torture in front of the hub. Load after hub.
#
#   shim_hub [OPTION...]       starts the hub behind it
#   power_hub [OPTION...]      the same, on a simulated disk (tests/torture/disk.h)
#   shim                       makes $T/shim.so
#   power_loss                 kill -9, and then everything here is what the disk had
command -v "${CC:-cc}" > /dev/null || no_shim="needs a C compiler"
case $BIN in *san*) no_shim="a preloaded library and a sanitizer do not go together" ;; esac
_torture=$BATS_TEST_DIRNAME/../torture

# FILE CC-OPTION...: the program or library of that name, here; built once in a run.
_built() {
	local name=$1
	shift
	[ -e "$BATS_RUN_TMPDIR/$name" ] || "${CC:-cc}" -D_GNU_SOURCE -O1 -o "$BATS_RUN_TMPDIR/$name" "$@"
	[ -e "$name" ] || cp "$BATS_RUN_TMPDIR/$name" .
}
shim() { _built shim.so -shared -fPIC "$_torture"/shim*.c -ldl; }

shim_hub() {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	shim
	export LD_PRELOAD=$T/shim.so
	hub "$@" || { unset LD_PRELOAD; return 1; }
	unset LD_PRELOAD
}

# Makes the simulated disk; what is here now is on it.
power_disk() {
	_built disk-tool -w "$_torture/disk.c"
	rm -rf power .grave
	./disk-tool init power .
}

power_hub() {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	[ -e power ] || power_disk
	export TORTURE=$T/power
	shim_hub "$@" || { unset TORTURE; return 1; }
	unset TORTURE
}

power_loss() {
	[ -z "${DAEMON_PID[hub]:-}" ] || daemon_kill hub
	./disk-tool lose power
}

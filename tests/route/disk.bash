# A disk that fails, is slow, or forgets: the library data/shim.c in front of the hub. Load after hub.
#
#   shim_hub [OPTION...]       starts the hub behind it
#   power_hub [OPTION...]      the same, and what a loss of power would leave is noted from here on
#   power_loss                 kill -9, and then the tree (spool) is what the disk had
command -v "${CC:-cc}" > /dev/null || no_shim="needs a C compiler"
case $BIN in *san*) no_shim="a preloaded library and a sanitizer do not go together" ;; esac

shim_hub() {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	[ -e shim.so ] || "${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o shim.so "$BATS_TEST_DIRNAME/data/shim.c" -ldl
	export LD_PRELOAD=$T/shim.so
	hub "$@" || { unset LD_PRELOAD; return 1; }
	unset LD_PRELOAD
}

power_hub() {
	mkdir -p power
	export POWER=$T/power
	shim_hub "$@" || { unset POWER; return 1; }
	unset POWER
}

# Makes folder $2 from what folder $1 (a key) had.
_power_tree() {
	local kind key name
	mkdir -p "$2"
	[ -e "power/$1" ] || return 0
	while read -r kind key name; do
		if [ "$kind" = d ]; then
			_power_tree "$key" "$2/$name"
		elif [ -e "power/$key" ]; then
			cp "power/$key" "$2/$name"
		else
			: > "$2/$name"
		fi
	done < "power/$1"
}

power_loss() {
	local key
	[ -z "${DAEMON_PID[hub]:-}" ] || daemon_kill hub
	rm -rf after
	key=$(awk '$1 == "d" && $3 == "spool" { print $2 }' power/*.* | tail -n 1)
	[ -n "$key" ] && _power_tree "$key" after
	rm -rf spool
	[ ! -d after ] || mv after spool
}

# unit NAME: the path of a program of tests/unit that was built beside the programs under test ($BIN), else of build/unit.
#
# P is probe_link (its head says what it does), the links from a shell.
unit() {
	local dir
	for dir in "${BIN%/bin}/unit" "$ROOT/build/unit"; do
		[ -x "$dir/$1" ] && { echo "$dir/$1"; return; }
	done
	echo "no $1 in ${BIN%/bin}/unit: make unit" >&2
	return 1
}

P=$(unit probe_link) || exit 1

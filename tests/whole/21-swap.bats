#!/usr/bin/env bats
# analyze is swapped for a python script and back under load: nothing is lost, nothing repeated. The longest gap is printed, not judged: that
# is for a machine with nothing else to do (scripts/bench swap).
load ../lib/daemon

@test "swap of analyze for a python script and back under 5,000 lines/s: nothing is lost, nothing is repeated" {
	bats_require_minimum_version 1.5.0
	SWAP_DIR=$T run -0 "$ROOT/tests/whole/swap" -r 5000 -t 10
	echo "# $output" >&3
	[[ $output == *"lost 0 repeated 0 "* ]]
}

#!/usr/bin/env bats
# Realistic events through a whole tree while the hub is killed again and again: tests/whole/soak, here with fewer of them.
# SOAK_LINES=1000000 is the long run.
load ../lib/daemon

@test "route killed by kill -9 twenty times: every line is in the store once, as it was sent" {
	DAEMON_KILLED=yes
	PENSTOCK_SHARE=$ROOT/share run "$BATS_TEST_DIRNAME/soak" -n "${SOAK_LINES:-60000}" -k 20
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"kills of route 20  lost 0  changed or unknown 0  twice 0"* ]]
}

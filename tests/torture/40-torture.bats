#!/usr/bin/env bats
# scripts/torture: a bounded part of it (tests/planted: that it finds bugs). TORTURE_SECONDS=3600 is the long run.
load ../lib/daemon

# It builds for itself elsewhere: the programs under test are those of $BIN.
B=${BIN%/bin}
[ -e "$B/libpenstock.a" ] || B=$ROOT/build

setup() {
	case $BIN in *san*) skip "a preloaded library and a sanitizer do not go together" ;; esac
	command -v make "${CC:-cc}" >/dev/null || skip "needs make and a C compiler"
	[ -n "${TORTURE_BUILT:-}" ] || make -s -C "$ROOT" B="$B" BIN="$BIN" torture
	export TORTURE_BUILT=1 TORTURE_DIR=$T
}

torture() { B=$B BIN=$BIN "$ROOT/scripts/torture" "$@"; }

@test "usage: a number that is none, a fault that there is not, what it prints" {
	run torture -n many
	[ "$status" -eq 2 ]
	[ "$output" = "torture: many is no number" ]
	run torture -o teeth -l
	[ "$status" -eq 2 ]
	run torture --help
	[ "$status" -eq 0 ]
	[[ $output == *"-s SEED"*"Exit code"* ]]
}

@test "a seed makes the same schedule again, another one another" {
	torture -l -s 7 -f 100 >"$T/a"
	torture -l -s 7 -f 100 | cmp - "$T/a"
	[ "$(wc -l <"$T/a")" -eq 100 ]
	torture -l -s 8 -f 100 >"$T/b"
	not cmp -s "$T/a" "$T/b"
	sort -c -n "$T/a"
	# All is hit.
	for what in 'kill route' 'kill store' 'kill analyze' 'kill supervise' 'kill source1' 'kill worker1' 'stop route' 'power torn' 'full disk'; do
		grep -q " $what " "$T/a"
	done
}

@test "a tree under every fault: nothing lost, repeated or out of order, the books balance" {
	run torture -s "${TORTURE_SEED:-1}" -n 100000 -f 20 -t "${TORTURE_SECONDS:-30}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"lost 0  changed 0  repeated 0  order 0  ledger 0  gaps 0  damaged 0  complaints 0  ok"* ]]
}

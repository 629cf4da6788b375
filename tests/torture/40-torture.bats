#!/usr/bin/env bats
# scripts/torture: a bounded part of it, and that it finds the bugs of tests/torture/bugs. TORTURE_SECONDS=3600 is the long run.
load ../lib/daemon

# It builds for itself elsewhere: the programs under test are those of $BIN.
B=${BIN%/bin}
[ -e "$B/libpenstock.a" ] || B=$ROOT/build

setup() {
	case $BIN in *san*) skip "a preloaded library and a sanitizer do not go together" ;; esac
	command -v make patch "${CC:-cc}" >/dev/null || skip "needs make, patch and a C compiler"
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
	torture -l -s 7 -f 100 >a
	torture -l -s 7 -f 100 | cmp - a
	[ "$(wc -l <a)" -eq 100 ]
	torture -l -s 8 -f 100 >b
	not cmp -s a b
	sort -c -n a
	# All is hit.
	for what in 'kill route' 'kill store' 'kill analyze' 'kill supervise' 'kill source1' 'kill worker1' 'stop route' 'power torn' 'full disk'; do
		grep -q " $what " a
	done
}

@test "a tree under every fault: nothing lost, repeated or out of order, the books balance" {
	run torture -s "${TORTURE_SEED:-1}" -n 100000 -f 20 -t "${TORTURE_SECONDS:-30}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"lost 0  changed 0  repeated 0  order 0  ledger 0  gaps 0  damaged 0  complaints 0  ok"* ]]
}

# NAME REGEX [RATE]: a build with tests/torture/bugs/NAME.patch in it; the output of a run with the faults that match REGEX.
planted() {
	local log=$T/build.log
	mkdir "$T/tree"
	cp -a "$ROOT"/{Makefile,VERSION,src,share,scripts} "$T/tree/"
	mkdir "$T/tree/tests"
	cp -a "$ROOT/tests/torture" "$ROOT/tests/unit" "$T/tree/tests/"
	cp -a "$B" "$T/b"
	cp -a "$BIN/." "$T/b/bin/" 2>/dev/null || { mkdir "$T/b/bin" && cp -a "$BIN/." "$T/b/bin/"; }
	patch -s -d "$T/tree" -p1 <"$ROOT/tests/torture/bugs/$1.patch" || { echo "the patch does not fit any more: make it anew"; return 1; }
	make -s -C "$T/tree" B="$T/b" BIN="$T/b/bin" all torture >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
	TORTURE_PATIENCE=12 B=$T/b BIN=$T/b/bin PENSTOCK_SHARE=$ROOT/share run "$ROOT/scripts/torture" -s 1 -n 16000 -f 8 -r "${3:-8000}" -o "$2"
	echo "$output"
	rm -rf "$T"/penstock-torture.*
	[ "$status" -eq 1 ]
}

@test "found: an acknowledgement before fdatasync" {
	planted ack-before-fdatasync '^power'
	# Lines that the hub itself says are gone are not counted as lost.
	[[ $output =~ (lost|gaps)\ [1-9] ]]
}

@test "found: a segment whose name is not synced" {
	planted segment-without-folder-sync '^power'
	[[ $output =~ (lost|gaps)\ [1-9] ]]
}

@test "found: a rename without a sync of the folder" {
	# What is lost then is a cursor: that shows when the destination is behind.
	planted rename-without-folder-sync '^power' 100000
	[[ $output =~ lost\ [1-9] ]]
}

@test "found: a store that acknowledges before its databases are synced" {
	planted store-acknowledges-before-sync '^power'
	[[ $output =~ lost\ [1-9] ]]
}

@test "found: a cursor that is saved ahead of what was done" {
	planted cursor-saved-ahead '^(kill|tear) route'
	[[ $output =~ lost\ [1-9] ]]
}

@test "found: a repeat window that is empty after a restart" {
	planted repeat-window-forgotten '^(kill|tear) route'
	[[ $output =~ (repeated|ledger)\ [1-9] ]]
}

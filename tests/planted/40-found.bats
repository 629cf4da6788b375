#!/usr/bin/env bats
# scripts/torture finds the bugs of tests/torture/bugs, each planted into a build of its own.
load ../lib/daemon

# It builds for itself elsewhere: the programs under test are those of $BIN.
B=${BIN%/bin}
[ -e "$B/libpenstock.a" ] || B=$ROOT/build

setup() {
	case $BIN in *san*) skip "a preloaded library and a sanitizer do not go together" ;; esac
	command -v make patch "${CC:-cc}" >/dev/null || skip "needs make, patch and a C compiler"
	export TORTURE_BUILT=1 TORTURE_DIR=$T
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
	# One run has eight faults, and each bug a moment in which it shows: what the machine does besides decides whether one of them meets it.
	for seed in 1 2 3 4; do
		TORTURE_PATIENCE=12 B=$T/b BIN=$T/b/bin PENSTOCK_SHARE=$ROOT/share run "$ROOT/scripts/torture" -s "$seed" -n 16000 -f 8 -r "${3:-8000}" -o "$2"
		echo "$output"
		rm -rf "$T"/penstock-torture.*
		[ "$status" -eq 0 ] || break
	done
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

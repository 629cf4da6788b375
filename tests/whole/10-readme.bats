#!/usr/bin/env bats
# The README's recipes run as printed, one after the other, in one folder, with the programs in PATH.
load ../lib/daemon

setup_file() {
	export README=$BATS_FILE_TMPDIR/readme
	mkdir -p "$README"
	# Each block of shell to its own file, in order.
	awk -v dir="$README" '/^```sh$/ { n++; file = sprintf("%s/%02d.sh", dir, n); next }
		/^```/ { file = "" } file { print > file }' "$BATS_TEST_DIRNAME/../../README.md"
}

pending() { penstock -C "$1" status --json | jq -r '[.destinations[].pending] | add'; }
idle() { [ "$(pending "$1")" = 0 ]; }

# A person reads on before typing the next recipe; by then what the last one set going is done.
settle() {
	local tree
	! grep -q ' reload ' "$1" || wait_for chat/log/respond/current 'replies files .* are in force'
	for tree in chat copy; do
		! penstock -C $tree status >/dev/null 2>&1 || wait_until "$PATIENCE" idle $tree
	done
}

@test "every recipe of the README runs as printed" {
	cd "$T"
	[ "$(ls "$README"/*.sh | wc -l)" -ge 10 ]
	for recipe in "$README"/*.sh; do
		echo "# ${recipe##*/}: $(head -n 1 "$recipe")"
		bash -euo pipefail "$recipe" >"$T/out" 2>&1 </dev/null || { cat "$recipe" "$T/out"; exit 1; }
		settle "$recipe"
	done
	# What they promise: the lines went out and in again, once.
	[ "$(wc -l <everything.ndjson)" -ge 4 ]
	grep -q '"text":"pong"' everything.ndjson
	grep -qE 'It is (soup|salad|pizza) today, ada' everything.ndjson
	store -x -d copy/history | sort >again
	sort everything.ndjson | diff - again
}

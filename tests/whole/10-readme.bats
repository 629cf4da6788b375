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

answers() { penstock -C chat lab show | grep -c '(answers)'; }
lab_up() { penstock -C chat lab show >/dev/null 2>&1; }
lab_gone() { not pgrep -f "lab.py up -d $T/chat/" >/dev/null 2>&1; }
answered() { [ "$(answers)" = 2 ]; }

# A person reads on before typing the next recipe; by then what the last one set going is done.
settle() {
	local tree
	! grep -q ' lab up ' "$1" || wait_until "$PATIENCE" lab_up
	! grep -q ' reload gatewayd' "$1" || {
		wait_for chat/log/deliver/current ' 2 accounts are in force'
		wait_for chat/log/gatewayd/current 'lab-discord/0 up'
		wait_for chat/log/gatewayd/current 'lab-twitch/0 up'
	}
	! grep -q ' lab say ' "$1" || wait_until "$PATIENCE" answered
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
		bash -euo pipefail "$recipe" >"$T/out" 2>&1 </dev/null 3>&- || { cat "$recipe" "$T/out"; exit 1; }
		settle "$recipe"
		! grep -q ' lab show' "$recipe" || cp "$T/out" shown
	done
	curl -sf -o "$T/quit" -d '' "http://127.0.0.1:$(<chat/run/lab/port)/lab/quit"
	wait_until "$PATIENCE" lab_gone
	grep -q 'discord #general .*<penstock> (answers) pong' shown
	grep -qE 'twitch lab .*<penstock> \(answers\) It is (soup|salad|pizza) today, bob' shown
	# What they promise: the lines went out and in again, once.
	[ "$(wc -l <everything.ndjson)" -ge 4 ]
	grep -q '"text":"pong"' everything.ndjson
	schema <everything.ndjson >types
	[ "$(awk '{ print $1 }' types | xargs)" = "analysis.emotion chat.message gateway.up message.send message.sent" ]
	grep -qE 'It is (soup|salad|pizza) today, ada' everything.ndjson
	store -x -d copy/history | sort >again
	sort everything.ndjson | diff - again
}

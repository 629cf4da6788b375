#!/usr/bin/env bats
# scripts/torture --platforms: a bounded part of it. scripts/torture --platforms -n 1000 is the long run.
load ../lib/daemon

torture() { TORTURE_BUILT=1 TORTURE_DIR=$T "$ROOT/scripts/torture" --platforms "$@"; }

@test "two seeds: connections that break, gatewayd and route killed; nothing lost, nothing twice, every gap told, no rule broken" {
	torture -n 2 -s "${TORTURE_SEED:-11}" -t 2 -f 4 >"$T/log" || { cat "$T/log" >&2; return 1; }
	[ "$(tail -n 1 "$T/log")" = "2 runs, 0 wrong" ]
	grep -Eq 'discord: [1-9][0-9]* said, [1-9][0-9]* kept' "$T/log"
}

@test "it says what is wrong: a hub that forgets" {
	mkdir "$T/bin"
	ln -s "$BIN"/* "$T/bin/"
	rm "$T/bin/route"
	# A restart after kill -9 begins with an empty spool.
	printf '%s\n' '#!/bin/sh' 'rm -rf spool' "exec \"$BIN/route\" \"\$@\"" >"$T/bin/route"
	chmod +x "$T/bin/route"
	run env BIN="$T/bin" TORTURE_BUILT=1 TORTURE_DIR="$T" "$ROOT/scripts/torture" --platforms -n 1 -s 14 -t 2 -f 0 -w 2
	[ "$status" -eq 1 ]
	[[ $output == *"lost on discord"* && $output == *"unread on discord"* && $output == *"lost on twitch"* ]]
}

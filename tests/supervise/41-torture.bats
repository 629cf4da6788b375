# A bounded part of tests/supervise/torture, which scripts/torture --supervise runs for as long as one likes.
load ../lib/daemon
bats_require_minimum_version 1.5.0

B=${BIN%/bin}
[ -e "$B/libpenstock.a" ] || B=$ROOT/build
setup_file() { make -s -C "$ROOT" B="$B" BIN="$BIN" "$B/torture/service"; }
setup() { export TORTURE_DIR=$T; }
torture() { B=$B BIN=${FAKE:-$BIN} "$BATS_TEST_DIRNAME/torture" "$@"; }

@test "800 commands, services and supervise killed: all come to what was asked for, none runs twice, nothing is left" {
	run torture -s 4711 -n 800 -c 36 -x 4
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ "4 kills of supervise ("([0-9]+)" services taken over)" ]]
	[ "${BASH_REMATCH[1]}" -ge 10 ]
}

# What it is for: a second copy, and a service that is not as it was asked to be.
@test "it sees a service that runs twice, and one that somebody else put down" {
	mkdir "$T/fake"
	printf '%s\n' '#!/bin/sh' 'for s; do :; done' \
		'[ "$1" = -s ] || (until [ -s "$s/plain.0/starts" ] && [ -p "$s/finish.0/supervise/control" ] && printf d 1<>"$s/finish.0/supervise/control"; do sleep 0.1; done' \
		'cd "$s/plain.0" && exec ./run) &' \
		"exec '$BIN/supervise' \"\$@\"" >"$T/fake/supervise"
	chmod 755 "$T/fake/supervise"
	FAKE=$T/fake TORTURE_PATIENCE=3 run torture -s 1 -n 10 -c 12 -x 0
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"plain.0 ran twice"* && $output == *"finish.0: want down, asked for {'up'}"* ]]
}

@test "a seed makes the same commands again, another one others; usage" {
	torture -l -s 7 >"$T/a"
	torture -l -s 7 | cmp - "$T/a"
	[ "$(grep -c ^sv "$T/a")" -eq 2000 ]
	[ "$(grep -c ^supervise "$T/a")" -eq 8 ]
	run ! cmp -s <(torture -l -s 8) "$T/a"
	run torture -n many
	[ "$status" -eq 2 ]
	run torture --help
	[[ $status -eq 0 && $output == *"-s SEED"*"Exit code"* ]]
	run env TORTURE_BUILT=1 "$ROOT/scripts/torture" --supervise -l -s 7
	[ "$output" = "$(cat "$T/a")" ]
}

#!/usr/bin/env bats
load probe

@test "good lines are good, in order with bad ones" {
	run "$probe" line < <(chat 1 hello; echo '{'; chat 2 "a\"b\\c"; echo; chat 3 "naïve 🔥")
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = ok ]
	[ "${lines[1]}" = "refused 1 the line ends inside a value" ]
	[ "${lines[2]}" = ok ]
	[ "${lines[3]}" = "refused 0 the line is empty" ]
	[ "${lines[4]}" = ok ]
	[ "${#lines[@]}" -eq 5 ]
}

@test "nothing at all" {
	run "$probe" line </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "realistic events: all good; lazy sees what strict sees, on changed bytes as well" {
	"$BATS_TEST_DIRNAME/../lib/corpus" 20000 > "$BATS_TEST_TMPDIR/corpus"
	run bash -c '"$1" line < "$2" | sort | uniq -c' - "$probe" "$BATS_TEST_TMPDIR/corpus"
	[ "$(echo $output)" = "20000 ok" ]
	head -500 "$BATS_TEST_TMPDIR/corpus" > "$BATS_TEST_TMPDIR/some"
	run "$probe" props < "$BATS_TEST_TMPDIR/some"
	[ "$output" = "500 lines hold" ]
}

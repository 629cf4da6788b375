#!/usr/bin/env bats
load probe

@test "half a line and end of input" {
	run "$probe" line < <(chat 1 hello; printf '{"specversion":')
	[ "${lines[0]}" = ok ]
	[ "${lines[1]}" = "refused 15 no line feed at the end" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "binary rubbish is refused, line by line" {
	run bash -c 'head -c 3000000 "$1" | "$2" line | grep -cv "^refused [0-9]* [a-z]"' - "$probe" "$probe"
	[ "$output" = 0 ]
}

@test "data of a known type must have its fields" {
	run "$probe" line < <(event 1 chat.message '{}'; event 2 chat.message '{"channel":{"id":1},"user":{"id":"u"},"text":""}'
		event 3 com.example.mine '{}')
	[ "${lines[0]}" = "refused 76 a data field that this type must have is missing: data.channel.id" ]
	[ "${lines[1]}" = "refused 93 a data field has the wrong JSON type: data.channel.id" ]
	[ "${lines[2]}" = ok ]
}

@test "rows of faults get their answer from a stream, too" {
	local rows=$BATS_TEST_DIRNAME/data/event.tsv
	grep -v '^\(#\|$\)' "$rows" | grep -v '~0A' > "$BATS_TEST_TMPDIR/rows"
	"$probe" rows "$BATS_TEST_TMPDIR/rows" | "$probe" line > "$BATS_TEST_TMPDIR/got"
	cut -f1 "$BATS_TEST_TMPDIR/rows" > "$BATS_TEST_TMPDIR/want"
	cut -d' ' -f1 "$BATS_TEST_TMPDIR/got" | diff - "$BATS_TEST_TMPDIR/want"
	[ "$(grep -c . "$BATS_TEST_TMPDIR/want")" -gt 100 ]
}

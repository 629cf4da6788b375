#!/usr/bin/env bats
# The line library through the probe: streams of lines, good and bad. Faults of single lines are rows in data/.

load ../lib/line

setup() {
	local above=${BIN:-$BATS_TEST_DIRNAME/../../bin}/..
	probe=$above/unit/probe			# BIN=build-asan/bin
	[ -x "$probe" ] || probe=$above/build/unit/probe
	[ -x "$probe" ] || { echo "no probe: make unit first" >&2; return 1; }
}

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

@test "half a line and end of input" {
	run "$probe" line < <(chat 1 hello; printf '{"specversion":')
	[ "${lines[0]}" = ok ]
	[ "${lines[1]}" = "refused 15 no line feed at the end" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "nothing at all" {
	run "$probe" line </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a line over the cap is refused once, the next one is read" {
	run "$probe" line 300 < <(chat 1 "$(printf 'x%.0s' {1..100000})"; chat 2 short)
	[ "${lines[0]}" = "refused 300 the line is longer than the limit" ]
	[ "${lines[1]}" = ok ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "1 MiB is accepted, 1 MiB and a byte is not, and neither is a gigabyte without a line feed" {
	local head='{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"' fill
	fill=$((1048576 - ${#head} - 2))
	run "$probe" line < <(printf '%s%*s"}\n%s%*s"}\n' "$head" "$fill" x "$head" "$((fill + 1))" x; chat 3 hi)
	[ "${lines[0]}" = ok ]
	[ "${lines[1]}" = "refused 1048576 the line is longer than the limit" ]
	[ "${lines[2]}" = ok ]
	run "$probe" line < <(head -c 1G /dev/zero; echo; chat 2 hi)
	[ "${lines[0]}" = "refused 1048576 the line is longer than the limit" ]
	[ "${lines[1]}" = ok ]
}

@test "binary rubbish is refused, line by line" {
	run bash -c 'head -c 3000000 "$1" | "$2" line | grep -cv "^refused [0-9]* [a-z]"' - "$probe" "$probe"
	[ "$output" = 0 ]
}

@test "data of a known type must have its fields" {
	run "$probe" line < <(event 1 chat.message '{}'; event 2 chat.message '{"channel":{"id":1},"user":{"id":"u"},"text":""}'
		event 3 com.example.mine '{}')
	[ "${lines[0]}" = "refused 76 a data field that this type must have is missing" ]
	[ "${lines[1]}" = "refused 93 a data field has the wrong JSON type" ]
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

@test "realistic events: all good; lazy sees what strict sees, on changed bytes as well" {
	"$BATS_TEST_DIRNAME/../lib/corpus" 20000 > "$BATS_TEST_TMPDIR/corpus"
	run bash -c '"$1" line < "$2" | sort | uniq -c' - "$probe" "$BATS_TEST_TMPDIR/corpus"
	[ "$(echo $output)" = "20000 ok" ]
	head -500 "$BATS_TEST_TMPDIR/corpus" > "$BATS_TEST_TMPDIR/some"
	run "$probe" props < "$BATS_TEST_TMPDIR/some"
	[ "$output" = "500 lines hold" ]
}

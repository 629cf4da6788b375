#!/usr/bin/env bats
# What platforms make of what they are sent: data/NAME/*.in is played to platform NAME (tests/unit/platform_probe.h has the language), with the account in
# the .conf of the same name, else in account.conf; a line "# file NAME=TEXT" there is a file beside it. *.out holds the lines, gaps and marks that come of it.

setup() {
	load ../lib/daemon
	load ../lib/unit
	probe=$(unit probe)
	play=$(unit probe_platform)
}

teardown() { daemons_end; }

played() { # IN: what the record says of lines
	local conf=${1%.in}.conf files=()
	[ -e "$conf" ] || conf=${1%/*}/account.conf
	mapfile -t files < <(sed -n 's/^# file //p' "$conf")
	"$play" "$(basename "${1%/*}")" "$conf" "${files[@]}" <"$1" >"$T/record"
	grep -E '^(line|gap|mark|reply|said) ' "$T/record" || true
}

@test "what is sent becomes the lines that are expected" {
	local in n=0
	for in in "$BATS_TEST_DIRNAME"/data/*/*.in; do
		played "$in" >"$T/got"
		diff -u "${in%.in}.out" "$T/got" || { echo "$in" >&2; return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 0 ]
}

@test "each of them is a line that may enter, with the data of its type" {
	sed -nE 's/^line [0-9-]+ mark=[0-9]+ ticket=[0-9]+ //p' "$BATS_TEST_DIRNAME"/data/*/*.out >"$T/lines"
	[ -s "$T/lines" ]
	"$probe" line <"$T/lines" >"$T/answers"
	[ "$(sort -u "$T/answers")" = ok ]
	[ "$(wc -l <"$T/answers")" = "$(wc -l <"$T/lines")" ]
	# Each field is on the page, of the type it says.
	schema <"$T/lines" >"$T/types"
	[ "$(wc -l <"$T/types")" -ge 12 ]
	# What the check is worth: a field that is missing, one of another type, one that is not on the page.
	grep -m 1 '"type":"chat.message"' "$T/lines" >"$T/good"
	for spoil in 'del(.data.user.id)' '.data.user.roles = ["vip", 1]' '.data.user.bot = "yes"' '.data.channel = "51"' '.data.txt = "x"' '.type = "chat.massage"'; do
		jq -c "$spoil" "$T/good" >"$T/bad"
		not schema <"$T/bad" 2>"$T/why"
		[ -s "$T/why" ]
	done
}

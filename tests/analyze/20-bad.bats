load ../lib/daemon
load ../lib/line
export PENSTOCK_SHARE=$ROOT/share

@test "no model, no emotes: the file is named" {
	run analyze -L text -m "$T/none" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/none: No such file"* ]]
	run analyze -L text -e "$T/none" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/none: No such file"* ]]
}

@test "a file that is no model, a damaged one, one cut short" {
	echo hello >"$T/m"
	run analyze -L text -m "$T/m" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/m: "*"not an emotion model"* ]]
	head -c 100000 "$ROOT/share/emotion.model" >"$T/m"
	run analyze -L text -m "$T/m" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"cut short"* ]]
	cp "$ROOT/share/emotion.model" "$T/m"
	printf 'XXXX' | dd of="$T/m" bs=1 seek=90000 conv=notrunc status=none
	run analyze -L text -m "$T/m" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"damaged"* ]]
}

@test "a table of emotes with a fault: file, line and reason" {
	printf 'LUL\tlol\nbroken\n' >"$T/e"
	run analyze -L text -e "$T/e" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/e:2: want: emote, TAB, words"* ]]
}

@test "a line that is none, or a message without its data, is refused with the reason, and the rest goes on" {
	{ chat 1 'I love it'; echo '{"a":'; event 2 chat.message '{"channel":{"id":"c"},"user":{"id":"u"}}'; chat 3 'so sad'; } >"$T/in"
	run bash -c 'analyze -L text <"$1/in" >"$1/out" 2>"$1/err"' - "$T"
	[ "$status" -eq 1 ]
	[ "$(ids "$T/out" | grep analyze | tr '\n' ' ')" = "1.analyze 3.analyze " ]
	grep -q 'line 2 refused: byte 5: the line ends inside a value' "$T/err"
	grep -q 'line 3 refused: byte [1-9][0-9]*: .*missing' "$T/err"
}

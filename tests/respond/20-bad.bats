load ../lib/daemon
load ../lib/line

setup() { mkdir "$T/r"; }

@test "a bad file is refused with file, line and column" {
	printf 'command ping\n\tsay pong\n\nword hello\n\tsay {usr}\n' >"$T/r/default.conf"
	run respond -L text -r "$T/r" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/r/default.conf:5:7: no value of this name"* ]]
}

@test "-t names the faults of all files" {
	printf 'word x\n' >"$T/r/a.conf"
	printf 'say x\n' >"$T/r/b.conf"
	printf 'word x\n say y\n' >"$T/r/c.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 1 ]
	[[ "$output" == *"a.conf:1:1: this trigger says nothing"* ]]
	[[ "$output" == *'b.conf:1:1: "say" belongs to a trigger: indent it'* ]]
	[[ "$output" != *"c.conf"* ]]
}

@test "a binary, an oversized and an unreadable file" {
	head -c 1000 /dev/zero >"$T/r/a.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 1 ]
	[[ "$output" == *"a.conf:1:1: a control character"* ]]
	head -c 1100000 /dev/zero | tr '\0' '#' >"$T/r/a.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 1 ]
	[[ "$output" == *"a.conf: the file is larger than 1 MiB"* ]]
	rm "$T/r/a.conf"
	mkdir "$T/r/a.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 1 ]
	[[ "$output" == *"a.conf: Is a directory"* ]]
}

@test "a file that no tenant can have, and a slip in an emotion's name, are warned of" {
	printf 'word x\n say y\n' >"$T/r/Foo.conf"
	printf 'emotion sadnes above 0.5\n say y\n' >"$T/r/foo.conf"
	touch "$T/r/README" "$T/r/.hidden.conf" "$T/r/foo.conf~"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 0 ]
	[[ "$output" == *"no tenant can have the name of file Foo.conf"* ]]
	[[ "$output" == *'foo.conf:1: the built-in analyzer has no emotion "sadnes"'* ]]
	[[ "$output" == *"1 replies files"* ]]
}

@test "lines that are none, or lack their data, are refused and named; the others are answered" {
	printf 'command ping\n say pong\n' >"$T/r/default.conf"
	{ chat 1 '!ping'; echo '{"id":'; echo 'no json'; event 2 chat.message '{"text":"!ping"}'; chat 3 '!ping'; } >"$T/in"
	respond -L text -r "$T/r" <"$T/in" >"$T/out" 2>"$T/err" || true
	[ "$(grep -c '"text":"pong"' "$T/out")" -eq 2 ]
	[ "$(grep -c 'a data field that this type must have is missing' "$T/err")" -eq 1 ]
	grep -q 'line 2 refused: byte 6: the line ends inside a value' "$T/err"
	grep -q 'line 3 refused: byte 0: not a JSON object' "$T/err"
	grep -q 'line 4 refused: byte [1-9][0-9]*: a data field that this type must have is missing' "$T/err"
}

@test "hostile text: quotes, braces, escapes, control characters come back as text" {
	printf 'command say REST...\n say {REST}\n' >"$T/r/default.conf"
	chat 1 $'!say {user} \\{x\\} {one of: a | b} "q" \t é 😀' | respond -r "$T/r" | tail -n 1 >"$T/out"
	[ "$(jq -r .data.text "$T/out")" = '{user} \{x\} {one of: a | b} "q"   é 😀' ]
	event 2 chat.message '{"channel":{"id":"c"},"user":{"id":"u"},"text":"!say a\u0000b\u001b[31m\u2028x\ud83d\ude00"}' | respond -r "$T/r" | tail -n 1 >"$T/out"
	[ "$(jq -c .data.text "$T/out")" = "$(printf '"a b [31m\xe2\x80\xa8x😀"')" ]
}

@test "an id that cannot grow any more is refused, not cut" {
	printf 'command ping\n say pong\n' >"$T/r/default.conf"
	long=$(head -c 1048380 /dev/zero | tr '\0' i)
	event "$long" chat.message '{"channel":{"id":"c"},"user":{"id":"u"},"text":"!ping"}' >"$T/in"
	respond -L text -r "$T/r" <"$T/in" >"$T/out" 2>"$T/err" || true
	not grep -q pong "$T/out"
	grep -q 'longer than the limit' "$T/err"
}

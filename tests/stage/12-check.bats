# stage --check: what a program can be used for.
load stage

check() { run timeout -k 1 100 stage -L text --check "$@" 2> log; }
says() { grep -Eq -- "$1" <<< "$output" || { printf '%s\n' "$output"; return 1; }; }

@test "cat can be used for all, jq holds back" {
	check -- cat
	[ "$status" -eq 0 ]
	says '^ids +kept: .*byte for byte'
	says '^unknown types +passed on'
	says '^order +kept'
	says '^writes +at once'
	says '^the same twice +yes'
	for mode in $MODES; do says "^-a $mode +can be used"; done
	says '^use +-a sync'
	check -- jq -c .
	[ "$status" -eq 0 ]
	says '^ids +kept: .*written anew'
	says '^writes +.*when its input ends'
	says 'better +give jq the option --unbuffered'
	says '^use +-a eof; when it writes at once -a sync'
}

@test "a filter, for eof only" {
	check --ok 0,1 -- grep chat.message
	[ "$status" -eq 0 ]
	says '^unknown types +not passed on'
	says '^use +-a eof'
	check -a line --ok 0,1 -- grep chat.message
	[ "$status" -eq 1 ]
	says '^use +not as it is'
	check -- grep chat.message	# which ends with 1 when no line of a batch matches
	[ "$status" -eq 1 ]
	says '^-a eof +cannot: for a batch to which it says nothing it ends with code 1'
	says '^use +not as it is; with --ok 0,1: -a eof'
	check -- sort -r
	says '^order +not kept'
	says '^-a eof +can be used, but the lines of a batch leave in another order'
	says '^use +-a eof'
}

@test "a bot that answers line by line" {
	check -- jq -c --unbuffered 'if .type == "chat.message" then {type: "message.send", data: {text: .data.text}} else null end'
	[ "$status" -eq 0 ]
	says '^new events +4, of which stage completes 4: they name no cause'
	says '^use +-a line'
}

@test "one that cannot bear what it does not know" {
	check -- perl -ne '$| = 1; /x.bare/ and die "no data"; print'
	[ "$status" -eq 1 ]
	says 'fails on +an event of an unknown type without data: ends with code [0-9]+.*no data'
	says '^use +not as it is'
}

@test "one that does not end, does not start, makes nonsense" {
	check -- sleep 100
	[ "$status" -eq 1 ]
	says '^use +not as it is: it must end when its input does'
	run -1 stage --check -- /no/such
	check -- true
	[ "$status" -eq 1 ]
	says '^-a eof +cannot: it does not read its input'
	check -- head -n 1
	says '^reads +a part of its input only; what it does not read counts as done'
	check -- sed -u 's/.$//'
	[ "$status" -eq 1 ]
	says '^bad events +9, the first one: byte [0-9]+: '
	check -- sh -c 'echo hello; exec cat'
	[ "$status" -eq 0 ]
	says '^other output +1 line that is no event'
	check -- perl -pe 's/"id":"/"id":"$$-/; s/chat/x/'
	says '^the same twice +no'
}

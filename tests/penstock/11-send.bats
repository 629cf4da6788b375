load ../lib/daemon
load ../lib/line
load tree

setup() { tree_small; tree_up; }

@test "a file, standard input, and text" {
	events 1 1000 >"$T/in"
	run -0 p send "$T/in"
	[ -z "$output" ]
	accepted 1000
	events 1001 1500 | p send
	events 1501 1600 | p send -
	run -0 p send --text 'hello "you" ü' --room den --name ann
	accepted 1601
	tree_down
	[ "$(spooled | head -n 1000 | ids | sort)" = "$(ids "$T/in" | sort)" ]
	spooled | tail -n 1 >"$T/last"
	jq -e '.type == "chat.message" and .data.text == "hello \"you\" ü" and .data.channel.id == "den" and .data.user.name == "ann"
		and .partitionkey == "browser:den" and (.traceparent | length == 55) and (has("tenant") | not)' "$T/last"
}

@test "lines of one key keep their order, and the bytes are the ones that were sent" {
	events 1 5000 3 >"$T/in"
	p send "$T/in"
	tree_down
	spooled >"$T/out"
	for key in r0 r1 r2; do
		cmp <(grep -F "\"test:$key\"" "$T/in") <(grep -F "\"test:$key\"" "$T/out")
	done
	[ "$(wc -l <"$T/out")" -eq 5000 ]
}

@test "the same file again is repeats" {
	events 1 300 >"$T/in"
	p send "$T/in"
	run -0 p send "$T/in"
	[ "$(p status --json | jq -c '[.intake.accepted, .intake.repeats]')" = "[300,300]" ]
}

@test "a line is sent at once when there is little" {
	mkfifo "$T/pipe"
	daemon_run send penstock -C "$D" send "$T/pipe"
	exec {fd}>"$T/pipe"
	chat one hello >&"$fd"
	wait_until 5 accepted 1
	chat two hello >&"$fd"
	wait_until 5 accepted 2
	exec {fd}>&-
	daemon_wait send
	[ "$status" -eq 0 ]
}

@test "an empty input is fine" {
	run -0 p send /dev/null
	[ -z "$output" ]
}

@test "a terminal sees progress" {
	events 1 2000 >"$T/in"
	run -0 script -qec "penstock -C '$D' send '$T/in'" /dev/null </dev/null
	[[ $output == *"2000 acknowledged, 0 refused, 0 on their way"* ]]
}

@test "tail shows what flows, and --where chooses" {
	daemon_run tail penstock -C "$D" tail --where 'data.text ~ "*7"'
	daemon_run all penstock -C "$D" tail
	# They begin with what comes after they have found the end: it is said until it is seen.
	seen() { p send --text "number $1" && grep -q "number $1" "$T/$2.out"; }
	wait_until 10 seen 1 all
	wait_until 10 seen 7 tail
	[ "$(grep -vc 'number 7' "$T/tail.out")" -eq 0 ]
	[ ! -s "$T/tail.err" ]
	run -0 p tail --once -n 1
	[[ $output == *"number 7"* && ${#lines[@]} -eq 1 ]]
	run -0 p tail --once
	[ -z "$output" ]
	for n in tail all; do
		daemon_signal $n TERM
		daemon_wait $n
	done
}

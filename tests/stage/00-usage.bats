# stage: options, words, and what is said when it cannot even begin.
load stage

@test "--help and -V" {
	run -0 stage --help
	[[ $output == *"-- PROGRAM"* ]]
	[ "$(wc -w <<< "$MODES")" -ge 3 ]
	run -0 stage -V
	[[ $output == stage* ]]
}

@test "a program is needed" {
	run -2 stage
	[[ $output == *"which program"* ]]
}

@test "a program that is not there ends it at once, in every mode" {
	events 1 3 >in
	for mode in $MODES; do
		run_stage -a "$mode" -- /no/such/program <in
		[ "$status" -eq 1 ]
		[ -z "$output" ]
		grep -q '/no/such/program cannot be started: No such file' log
		run_stage -a "$mode" -- no-such-program <in
		[ "$status" -eq 1 ]
		grep -q 'no such program in \$PATH' log
	done
}

@test "bad values name the option and what would be right" {
	run -2 stage -a other -- cat
	[[ $output == *other*eof* ]]
	run -2 stage --ok 0,x -- cat
	[[ $output == *"--ok 0,x"* ]]
	run -2 stage --ok 111 -- cat
	[[ $output == *"meaning of its own"* ]]
	run -2 stage -s 'a b' -- cat
	[[ $output == *"-s a b"* ]]
	run -1 stage --user no-such-user-here -- cat
	[[ $output == *"no such user"* ]]
}

@test "penstock stage is the same program" {
	events 1 10 > in
	run -0 --separate-stderr penstock stage -- cat < in
	[ "$output" = "$(cat in)" ]
	run -0 penstock stage --help
	[[ $output == *"-- PROGRAM"* ]]
}

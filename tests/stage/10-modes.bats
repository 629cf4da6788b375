# stage with programs as they are, in a pipe: every mode, and those that hold back their output.
load stage

same() { # MODE PROGRAM...: passes everything on, in order
	local mode=$1
	shift
	run_stage -a "$mode" -- "$@" < in
	[ "$status" -eq 0 ] || { cat log; return 1; }
	[ "$output" = "$(cat in)" ] || { cat log; return 1; }
}

@test "cat, in every mode" {
	events 1 3000 > in
	for mode in $MODES; do same "$mode" cat; done
}

@test "jq that holds back its output" {
	events 1 600 > in
	for mode in $MODES; do same "$mode" jq -c .; done
	grep -q 'jq holds back its output.*--unbuffered' log
}

@test "jq that does not" {
	events 1 600 > in
	for mode in $MODES; do
		same "$mode" jq -c --unbuffered .
		not grep -q 'holds back' log
	done
}

@test "awk" {
	events 1 600 > in
	for mode in $MODES; do same "$mode" awk '{ print }'; done
	grep -q 'awk holds back its output.*fflush' log
}

@test "sed" {
	events 1 600 > in
	for mode in $MODES; do same "$mode" sed p -n; done
	grep -q 'sed holds back its output.*-u' log
}

@test "python" {
	events 1 600 > in
	for mode in $MODES; do same "$mode" python3 -c 'import sys
for line in sys.stdin: sys.stdout.write(line)'; done
}

@test "a C program without flush" {
	printf '#include <stdio.h>\nint main(void) { for (int c; (c = getchar()) != EOF; ) putchar(c); return 0; }\n' > copy.c
	cc -o copy copy.c
	events 1 600 > in
	for mode in $MODES; do same "$mode" ./copy; done
}

@test "grep, which passes some on and ends with 1 when there are none" {
	events 1 600 > in
	for mode in eof sync; do
		run_stage -a "$mode" --ok 0,1 -- grep 'number 1.0"' < in
		[ "$status" -eq 0 ]
		[ "$output" = "$(grep 'number 1.0"' in)" ]
	done
	grep -q 'does not pass on the lines of type penstock.sync' log
	run_stage --ok 0,1 -- grep nothing-like-it < in
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a line at a time, with pauses: answers come without waiting for more" {
	mkfifo to from
	for mode in line sync; do
		for args in "jq -c ." "jq -c --unbuffered ." "cat"; do
			stage -L text -a "$mode" -- $args < to > from 2> log &
			exec 7> to 8< from
			for i in 1 2 3; do
				chat "p-$i" "pause $i" >&7
				read -r -t 20 line <&8
				[[ $line == *'"pause '$i'"'* ]]
			done
			exec 7>&-
			run cat <&8
			[ -z "$output" ]
			exec 8<&-
			wait $!
		done
	done
}

@test "an answer that has come while stage was held up is no silence" {
	program slow <<'EOF'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
	print STDERR "has it\n";
	until (-e "go") { select(undef, undef, undef, 0.01) }
	print;
	open(F, ">said");
}
EOF
	mkfifo to
	stage -L text -a line -- ./slow < to > from 2> log 3>&- &
	pid=$!
	exec 7> to
	chat m1 a >&7
	wait_for log 'has it'
	kill -STOP "$pid"
	: > go
	wait_until 10 test -e said
	for _ in {1..5}; do _pause; done	# longer than a silence has to be
	kill -CONT "$pid"
	wait_for from m1
	exec 7>&-
	wait "$pid"
	not grep -q 'holds back' log
}

@test "empty input" {
	for mode in $MODES; do
		run_stage -a "$mode" -- cat < /dev/null
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "copies share the work, and the output stays in order" {
	events 1 5000 > in
	for mode in $MODES; do
		run_stage -a "$mode" -n 3 --take 50 -- cat < in
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat in)" ]
	done
}

@test "a terminal as standard output: long lines, colours" {
	{ events 1 200; chat long "$(head -c 600000 /dev/zero | tr '\0' x)"; } > in
	for mode in line sync; do
		for args in "cat" "jq -c ." "grep --color=auto message"; do
			[[ $mode/$args != sync/grep* ]] || continue
			grep message in > in2
			run_stage -a "$mode" --stdout pty -- $args < in2
			[ "$status" -eq 0 ]
			[ "$output" = "$(cat in2)" ]
			not grep -q 'holds back' log
		done
	done
}

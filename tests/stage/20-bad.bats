# Programs that do not do as they should: nothing is lost, nothing hangs, the log says what is wrong.
load stage

# All of the lines but those of $2... come out, in order; each of those was refused once.
only_refused() {
	local id pattern
	pattern=$(printf '"%s"|' "$@")
	[ "$output" = "$(grep -Ev "${pattern%|}" in)" ] || { cat log; return 1; }
	for id in "$@"; do
		[ "$(grep -c "line refused: .*\"$id\"" log)" -eq 1 ] || { cat log; return 1; }
	done
	[ "$(grep -c 'line refused' log)" -eq $# ]
}

setup() {
	cd "$T"
	program poison <<'EOF'
#!/usr/bin/perl
# Passes lines on and fails on some: "kill" by a signal, "exit" with code 1, "never" with code 100, "hang" for ever.
$| = 1;
while (<STDIN>) {
	kill 'SEGV', $$ if /"kill"/;
	print(STDERR "cannot bear this\n"), exit 1 if /"exit"/;
	exit 100 if /"never"/;
	sleep 1000 if /"hang"/;
	print;
}
EOF
}

poisoned() { # WORD NUMBER...: 300 messages, some with the word
	local word=$1
	shift
	events 1 300 > in
	for n; do sed -i "s/message number $n\"/$word\"/" in; done
}

@test "a line it dies of is singled out, among others and alone, in every mode" {
	for mode in $MODES; do
		poisoned kill 1 150 300
		run_stage -a "$mode" -- ./poison < in
		[ "$status" -eq 1 ]
		only_refused e-1 e-150 e-300
		grep -q 'line refused: poison died of signal 11' log
		poisoned kill 77
		sed -i 70,85\!d in
		run_stage -a "$mode" --take 1 -- ./poison < in
		only_refused e-77
	done
}

@test "its last words stand in the reason" {
	for mode in $MODES; do
		poisoned exit 200
		run_stage -a "$mode" -- ./poison < in
		only_refused e-200
		grep -q 'line refused: poison ended with code 1: cannot bear this' log
	done
}

@test "exit code 100 needs no three strikes" {
	for mode in $MODES; do
		poisoned never 42
		run_stage -a "$mode" -- ./poison < in
		only_refused e-42
		grep -q 'line refused: poison ended with code 100' log
	done
	poisoned never 1
	run_stage -a eof --take 1 -- ./poison < <(head -n 1 in)
	[ "$(grep -c 'ended with code' log)" -eq 2 ]	# one run, and the refusal
	# A batch of nothing else: a run for each line, and no pause between them.
	for mode in $MODES; do
		run_stage -a "$mode" -- sh -c 'read -r line; exit 100' < in
		[ "$(grep -c 'line refused: sh ended with code 100' log)" -eq 300 ]
		[ "$(wc -l < log)" -le 310 ]
	done
}

@test "one that dies at start is said to be broken, and ends stage" {
	events 1 10 > in
	for mode in $MODES; do
		for bad in 'exit 1' 'kill -9 $$' 'echo no config >&2; exit 2' 'exec /no/such'; do
			run_stage -a "$mode" -- sh -c "$bad" < in
			[ "$status" -eq 1 ]
			[ -z "$output" ]
			grep -q 'sh does not work: sh' log
		done
	done
}

@test "garbage: bytes, half events, arrays, a NUL" {
	events 1 10 > in
	for mode in $MODES; do
		run_stage -a "$mode" -- sh -c 'printf "\\377\\376\\n[1,2]\\n42\\n\\000\\n"; exec cat' < in
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat in)" ]
		grep -q 'stdout, no event): \[1,2\]' log
		run_stage -a "$mode" -- sed -u 's/^\(.*"e-4".*\)....$/\1/' < in
		[ "$status" -eq 1 ]
		only_refused e-4
		grep -q 'line refused: the program.s output is no event: byte' log
	done
}

@test "a huge line" {
	events 1 5 > in
	for mode in $MODES; do
		run_stage -a "$mode" -- python3 -uc '
import sys
for line in sys.stdin:
    print(line.replace("number 3", "x" * 2000000), end="", flush=True)' < in
		[ "$status" -eq 1 ]
		only_refused e-3
		grep -q 'line refused: the program.s output is no event: the line is longer than the limit' log
	done
}

@test "infinite output" {
	events 1 1 > in
	run_stage -a eof -- sh -c 'exec yes "$(cat)"' < in
	[ "$status" -eq 1 ]
	grep -q 'it wrote more than' log
	run_stage -a line -- yes '{"type":"x"}' < in
	[ "$status" -eq 1 ]
	grep -Eq 'it wrote (more lines than it was given|a line that answers none)' log
}

@test "one that never reads" {
	events 1 20000 > in
	for mode in $MODES; do
		run_stage -a "$mode" --deadline 0.05 -- sleep 1000 < in
		[ "$status" -eq 1 ]
		grep -q 'did not finish within 0.05 s (--deadline)' log
	done
}

@test "a line it hangs on" {
	for mode in $MODES; do
		poisoned hang 9
		run_stage -a "$mode" --deadline 0.7 -- ./poison < in
		only_refused e-9
	done
}

@test "one that closes its standard output" {
	events 1 5 > in
	for mode in line sync; do
		run_stage -a "$mode" -- sh -c 'exec 1>&-; exec sleep 1000' < in
		[ "$status" -eq 1 ]
		grep -q 'closed its standard output and ran on' log
	done
	run_stage -a eof -- sh -c 'cat; exec 1>&-; sleep 0.3' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
}

@test "one that stops reading and ends well" {
	events 1 1000 > in
	run_stage -a sync --take 10 -- head -n 11 < in
	[ "$status" -eq 0 ] || { cat log; false; }
	[ "$output" = "$(cat in)" ]
}

@test "something it started holds its output" {
	events 1 5 > in
	run_stage -a eof -- sh -c 'sleep 1000 & exec cat' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
	grep -q 'something it started still holds its output: killed' log
	run_stage -a line -- sh -c 'setsid sleep 2 & exec cat' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
}

@test "half a line at the end" {
	chat m1 a > in
	run_stage -a eof -- sh -c 'printf %s "$(cat)"' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
	run_stage -a line -- sh -c 'read -r l; printf %s "$l"' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
	events 1 3 > in
	run_stage -a line -- sh -c 'read -r l; [ -e once ] || { : > once; printf "%.30s" "$l"; exit 1; }; echo "$l"; exec cat' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
}

@test "line mode: a program that writes more lines than it was given, fewer, or others ends it, and which mode is right is said once" {
	events 1 300 > in
	for bad in 'sed -u p' 'sed -u 2~3d' 'grep --line-buffered e-.*5"' 'sort -r' 'awk NR%2{print;fflush()}'; do
		read -ra words <<< "$bad"
		run_stage -a line -- "${words[@]}" < in
		[ "$status" -eq 1 ] || { cat log; false; }
		[ "$(grep -c "^stage: error: $words is no program for -a line.*wants -a eof" log)" -eq 1 ]
		[ "$(wc -l < log)" -le 3 ] || { cat log; false; }
	done
}

@test "line mode: a line that is swallowed or answered twice is that line's fault" {
	events 1 300 > in
	run_stage -a line -- sed -u '/number 77"/d' < in
	[ "$status" -eq 1 ]
	only_refused e-77
	grep -q 'line refused: sed ended with code 0, and had not answered the line' log
	not grep -q 'is no program for' log
	run_stage -a line -- sed -u '/number 77"/p' < in
	[ "$output" = "$(cat in)" ]
	not grep -q 'is no program for' log
}

@test "line mode: a program that ends after each line is started again, and that is not said each time" {
	events 1 100 > in
	run_stage -a line -- head -n 1 < in
	[ "$output" = "$(cat in)" ]
	grep -q 'head ended with code 0, .*wants -a eof' log
	[ "$(wc -l < log)" -le 6 ]
}

@test "sync mode: the sync lines in another order" {
	events 1 600 > in
	run_stage -a sync --take 100 -- python3 -uc '
import sys
held = None
for line in sys.stdin:
    if "penstock.sync" not in line: print(line, end="")
    elif held is None: held = line
    else: print(line + held, end=""); held = None' < in
	[ "$output" = "$(cat in)" ]	# goes on more slowly: its input is closed after each batch
	grep -q 'returned the penstock.sync lines in another order' log
}

@test "what it says on stderr is limited" {
	events 1 3 > in
	run_stage -a eof -- sh -c 'yes "complaint" | head -n 100000 >&2; head -c 100000 /dev/zero | tr "\\0" y >&2; exec cat' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
	[ "$(grep -c complaint log)" -lt 400 ]
	grep -Eq '[0-9]+ more lines (are|were) not shown' log
}

@test "a program behind env is called by its own name, and gets its own advice" {
	chat m1 a > in
	run_stage -a eof -- env -C / -u LANG X=1 sh -c 'exit 100' < in
	grep -q 'line refused: sh ended with code 100' log
	run_stage -a sync -- env -C / jq -c . < in
	grep -q 'give jq the option --unbuffered' log
	run_stage -a eof -- env -C / < in
	grep -q 'line refused: env ended with code' log
}

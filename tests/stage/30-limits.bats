# Deadlines, limits of the program, back-pressure, many lines in flight.
load stage

@test "memory, open files, processor time" {
	chat m1 a > in
	run_stage -a eof --memory 64m -- python3 -c 'x = "y" * 10**9' < in
	[ "$status" -eq 1 ]
	grep -q MemoryError log
	run_stage -a line --files 20 -- sh -c 'ulimit -n >&2; exec cat' < in
	[ "$status" -eq 0 ]
	grep -Eq ': 20$' log
	run_stage -a line --cpu 1s -- sh -c 'ulimit -t >&2; exec cat' < in
	grep -Eq ': 1$' log
	run_stage -a eof --cpu 1s -- sh -c '[ ! -e once ] || exit 100; : >once; while :; do :; done' < in
	[ "$status" -eq 1 ]
	grep -q 'died of signal 24 (CPU time limit exceeded, --cpu)' log
	run_stage -a eof --cpu 1s -- sh -c '[ ! -e twice ] || exit 100; : >twice; trap "" XCPU; while :; do :; done' < in
	grep -q 'died of signal 9 (Killed: it used more processor time than --cpu allows)' log
}

@test "another user" {
	[ "$(id -u)" -eq 0 ] || skip "only root can"
	chat m1 a > in
	for mode in $MODES; do
		run_stage -a "$mode" --user nobody -- sh -c 'id -un >&2; id -Gn >&2; exec cat' < in
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat in)" ]
		grep -q ': nobody$' log
		not grep -q ': root$' log
	done
}

@test "--expect-every: silence while lines wait" {
	events 1 3 > in
	run_stage -a sync --expect-every 1 -- perl -e '$| = 1; while (<STDIN>) { if (!-e "once") { open F, ">once"; sleep 1000 } print }' < in
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat in)" ]
	grep -q 'said nothing for 1 s (--expect-every)' log
}

@test "no silence is too long when no lines wait" {
	mkfifo to
	stage -L text -a line --expect-every 0.5 --deadline 0.5 -- cat < to > from 2> log &
	exec 7> to
	chat m1 a >&7
	wait_for from m1
	for _ in {1..50}; do _pause; done	# twice as long as either limit
	chat m2 a >&7
	wait_for from m2
	exec 7>&-
	wait $!
	[ ! -s log ]
}

@test "a reader that stops is waited for, in memory that does not grow" {
	events 1 200000 > in
	mkfifo out
	exec 8<> out
	for mode in line sync; do
		stage -L text -a "$mode" -- cat < in > out 2> log &
		pid=$!
		idle() { local a; a=$(awk '{ print $14 + $15 }' "/proc/$pid/stat"); for _ in {1..10}; do _pause; done; [ "$a" = "$(awk '{ print $14 + $15 }' "/proc/$pid/stat")" ]; }
		wait_until 10 _hears "$pid" TERM
		wait_until 10 idle
		[ "$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" -lt 40000 ]
		kill "$pid"
		cat <&8 > /dev/null &
		reader=$!
		wait "$pid" || true
		kill "$reader" 2>/dev/null || true
		wait "$reader" 2>/dev/null || true
	done
	exec 8>&-
}

@test "a reader that goes away ends it" {
	events 1 100000 > in
	for mode in $MODES; do
		run bash -c "stage -L text -a $mode -- cat < in 2> log | head -n 1; exit \${PIPESTATUS[0]}"
		[ "$status" -eq 1 ]
		grep -q 'standard output: closed by its reader' log
	done
}

@test "output without a batch, from a program that writes by itself" {
	run_stage -a sync -s clock -- sh -c 'cat; printf "%s\n" "{\"specversion\":\"1.0\",\"id\":\"last\",\"source\":\"/x\",\"type\":\"x.end\"}"; echo "{\"type\":\"x.lost\"}"' < <(events 1 3)
	[ "$status" -eq 0 ]
	[ "$(ids <<< "$output")" = "$(printf 'e-1\ne-2\ne-3\nlast')" ]
	grep -q 'written while no line was in it, and dropped: .*causationid.*x.lost' log
}

@test "SIGHUP starts the program anew, between batches" {
	mkfifo to
	stage -L text -a line -- sh -c 'echo "I am $$" >&2; exec cat' < to > from 2> log &
	pid=$!
	exec 7> to
	chat m1 a >&7
	wait_for from m1
	kill -HUP "$pid"
	wait_until 10 sh -c '[ "$(grep -c "I am" log)" -eq 2 ]'
	chat m2 a >&7
	wait_for from m2
	exec 7>&-
	wait "$pid"
	[ "$(grep -o 'I am [0-9]*' log | sort -u | wc -l)" -eq 2 ]
	not grep -q warning log
}

@test "metrics" {
	events 1 100 > in
	run_stage -a line -M metrics -- jq -c --unbuffered 'if .id == "e-7" then {type: "x.new"} elif .id == "e-8" then null else . end' < in
	[ "$status" -eq 0 ]
	[ -s metrics ]
	grep -aq stage_made_total metrics
}

@test "a slow program is given few lines at a time, so that the hub does not take them back" {
	load ../route/hub
	echo 'all -> work' > rules
	hub --deadline 4s
	events 1 40 20 | put 40 > /dev/null
	# All at once would be 6 s in the program.
	daemon_start w stage -L text -i ipc://run/to-work -o ipc://run/in -a line -- perl -ne '$| = 1; print STDERR "seen\n"; select(undef, undef, undef, 0.15); print "\n"'
	done_all() { has work delivered 40; }
	wait_until 30 done_all
	daemon_stop w
	[ "$(grep -c seen w.err)" -eq 40 ]
	daemon_stop hub
}

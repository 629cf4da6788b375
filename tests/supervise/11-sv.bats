# Debian's own sv drives it.
load ../lib/daemon
load services

setup() {
	service a "trap 'echo hup >>got' HUP; trap 'echo usr1 >>got' USR1; trap 'echo usr2 >>got' USR2; trap 'echo int >>got' INT; trap 'echo quit >>got' QUIT; trap 'echo alrm >>got' ALRM; echo go >>got; while :; do sleep 1000 & wait; done"
	sup_start
	wait_until 5 lines_are "$S/a/got" 1
}

@test "status, down, up, restart, once" {
	run -0 sv status a
	[[ $output == "run: a: (pid $(sup_pid a)) "* ]]
	run -0 sv -v down a
	[[ $output == "ok: down: a: "*"normally up" ]]
	stat_is a down
	[ ! -s "$S/a/supervise/pid" ]
	run -0 sv -v up a
	[[ $output == "ok: run: a: (pid $(sup_pid a)) "* ]]
	[ "$(cat "$S/a/supervise/pid")" = "$(sup_pid a)" ]
	old=$(sup_pid a)
	run -0 sv restart a
	[[ $output == "ok: run: a: "* ]]
	wait_until 5 restarted a 2
	run -0 sv -v once a
	wait_until 5 stat_is a "run, want down"
	sv kill a
	wait_until 5 stat_is a down
	run -0 sv once a
	wait_until 5 stat_is a "run, want down"
	sup_stop
}

@test "every signal arrives" {
	for c in hup:hup 1:usr1 2:usr2 interrupt:int quit:quit alarm:alrm; do
		run -0 sv "${c%:*}" a
		wait_for "$S/a/got" "^${c#*:}$"
	done
	run -0 sv -v pause a
	[[ $output == "ok: run: a: "*", paused" ]]
	wait_until 5 stopped "$(sup_pid a)"
	run -0 sv -v cont a
	[[ $output != *paused* ]]
	old=$(sup_pid a)
	run -0 sv term a
	wait_until 5 process_gone "$old"
	wait_until 5 restarted a 1
	old=$(sup_pid a)
	run -0 sv kill a
	wait_until 5 process_gone "$old"
	sup_stop
}

@test "a paused service that is told to go down goes" {
	sv -v pause a
	run -0 sv -v down a
	[[ $output == "ok: down: a: "* ]]
	sup_stop
}

@test "exit lets the directory go; SIGALRM takes it again" {
	run -0 sv exit a
	[[ $output == "" || $output == "ok: down: a: "* ]]
	wait_until 5 sup_is a exited
	wait_until 5 sees_none a
	[ "$(sup_pid a)" = none ]
	service b 'exec sleep 1000'
	wait_until 5 sup_is b run
	sup_is a exited
	run -0 supervise -s "$S"	# as it was wanted
	daemon_signal sup ALRM
	wait_until 5 sup_is a run
	sup_stop
}

@test "SIGALRM while one that was told to exit still ends: it is taken again when it has; not where exit was asked once more" {
	for s in c d; do
		mkfifo "$T/end.$s"
		service $s 'trap "" TERM; echo run >>out; [ "$(wc -l <out)" -eq 1 ] || { trap - TERM; exec sleep 1000; }' "read -r _ <'$T/end.$s'"
	done
	for s in c d; do
		wait_until 5 lines_are "$S/$s/out" 1
		printf x >"$S/$s/supervise/control"
		wait_until 5 stat_is $s 'run, got TERM, want exit'
	done
	daemon_signal sup ALRM
	seen
	printf x >"$S/d/supervise/control"
	seen
	for s in c d; do echo >"$T/end.$s"; done
	wait_until 5 lines_are "$S/c/out" 2
	wait_until 5 sup_is c run
	wait_until 5 sup_is d exited
	lines_are "$S/d/out" 2 && false
	sup_stop
}
# What was sent to supervise before has been read: a second answer is from a later round than the first.
seen() { supervise -s "$S" >/dev/null || [ $? -eq 1 ]; supervise -s "$S" >/dev/null || [ $? -eq 1 ]; }

@test "commands work while a crash loop waits, and sv up ends the wait" {
	service c 'echo x >>out; exit 1'
	wait_until 10 sup_is c crash-loop
	n=$(wc -l <"$S/c/out")
	run -0 sv up c
	wait_until 5 lines_are "$S/c/out" $((n + 1))
	wait_until 5 sup_is c crash-loop
	run -0 sv -v down c
	[[ $output == "ok: down: c: "* ]]
	wait_until 5 sup_is c down	# sv takes the wait for down
	sup_stop
}

@test "the wait in a crash loop grows, and a restart is counted" {
	service c 'date +%s%N >>out; exit 1'
	third() {
		supervise -s --json "$S" >"$T/json" || true
		jq -e 'select(.name == "c") | .restarts >= 2 and .state == "crash-loop"' <"$T/json" >/dev/null || return 1
		read -r from to <<<"$(jq -r 'select(.name == "c") | "\(.last_exit.at) \(.next_start)"' <"$T/json")"
		wait=$(($(date -d "$to" +%s%3N) - $(date -d "$from" +%s%3N)))
		[ "$wait" -ge 1990 ]	# a run that takes a second, on a busy machine, begins a new row
	}
	wait_until 20 third
	mapfile -t t <"$S/c/out"
	[ $((t[1] - t[0])) -ge 1000000000 ]
	[ $((t[2] - t[1])) -ge 990000000 ]
	# The third wait of a row is of 2 to 4 s, and none longer than 10.
	[ "$wait" -le 10500 ]
	sup_stop
}

@test "a command right behind its opposite is heard: sv finds in the record what was asked for" {
	service c 'exec sleep 1000'
	wait_until 10 stat_is c run
	# Without a pause.
	asked_for() {
		local end=$((SECONDS + PATIENCE + 1))
		until [ "$(od -An -c -j17 -N1 "$S/c/supervise/status" | tr -d ' ')" = "$1" ]; do [ "$SECONDS" -lt "$end" ] || return 1; done
	}
	for i in $(seq 10); do
		sv down c
		asked_for d
		sv up c
		asked_for u
	done
	wait_until 5 sup_is c run
	sup_stop
}

@test "several letters of one write are done in order; others are ignored" {
	old=$(sup_pid a)
	printf 'zd\nu?' >"$S/a/supervise/control"
	wait_until 5 process_gone "$old"
	wait_until 5 sup_is a run
	sup_stop
}

@test "svstat's and sv's bytes: 20 of them, with this second and this pid" {
	[ "$(stat -c %s "$S/a/supervise/status")" -eq 20 ]
	mapfile -t b < <(od -An -v -tu1 -w1 "$S/a/supervise/status")
	pid=$((b[12] + b[13] * 256 + b[14] * 65536 + b[15] * 16777216))
	[ "$pid" -eq "$(sup_pid a)" ]
	sec=0
	for i in 1 2 3 4 5 6 7; do sec=$((sec * 256 + b[i])); done
	age=$((EPOCHSECONDS + 10 - sec))
	[ "$age" -ge 0 ]
	[ "$age" -le 60 ]
	[ "${b[0]}" -eq 64 ]
	[ "${b[17]}" -eq 117 ]
	[ "${b[19]}" -eq 1 ]
	[ "$(stat -c %a "$S/a/supervise" "$S/a/supervise/lock" "$S/a/supervise/control" "$S/a/supervise/ok" "$S/a/supervise/status" "$S/a/supervise/pid" "$S/a/supervise/stat" | tr '\n' ' ')" = "700 600 600 600 644 644 644 " ]
	sup_stop
}

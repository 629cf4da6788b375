load ../lib/daemon
load services

@test "an empty directory is ready at once and stops at once" {
	sup_start
	run -0 supervise -s "$S"
	[ "${#lines[@]}" -eq 1 ]
	sup_stop
}

@test "run is started in its directory, with its name, in a session of its own, with default signals" {
	service a 'pwd >out; echo "$0 $#" >>out; ps -o pid=,pgid=,sid= -p $$ >>out; grep -E "^Sig(Blk|Ign)" /proc/self/status >>out; exec sleep 1000'
	(trap '' INT QUIT; exec 9>&-; sup_start; echo "${DAEMON_PID[sup]}" >"$T/pid")
	DAEMON_PID[sup]=$(cat "$T/pid")
	wait_until 5 lines_are "$S/a/out" 5
	run -0 cat "$S/a/out"
	[ "${lines[0]}" = "$S/a" ]
	[ "${lines[1]}" = "./run 0" ]
	read -r pid pgid sid <<<"${lines[2]}"
	[ "$pid" = "$pgid" ]
	[ "$pid" = "$sid" ]
	[[ ${lines[3]} == SigBlk:*0000000000000000 ]]
	# 32 and 33 are the C library's own and cannot be set from C.
	[ $(( 0x${lines[4]#*:?} & 0x7fffffff )) -eq 0 ]
	kill "${DAEMON_PID[sup]}"
	wait_until 5 process_gone "${DAEMON_PID[sup]}"
	unset 'DAEMON_PID[sup]'
}

@test "a run that dies after more than a second is started again at once; one that dies sooner waits a second" {
	service a 'date +%s%N >>out; exec sleep 1000'
	sup_start
	wait_until 5 lines_are "$S/a/out" 1
	kill -9 "$(sup_pid a)"
	wait_until 5 lines_are "$S/a/out" 2
	wait_until 5 restarted a 1
	first=$(sed -n 1p "$S/a/out") second=$(sed -n 2p "$S/a/out")
	[ $((second - first)) -ge 1000000000 ]
	[ $((second - first)) -lt 5000000000 ]	# a machine may be busy
	sup_stop
}

@test "finish gets the exit code, or -1 and the signal" {
	service a 'exit 7'
	service b 'kill -9 $$'
	script "$S/a/finish" 'echo "$@" >>args'
	script "$S/b/finish" 'echo "$@" >>args'
	sup_start
	wait_until 5 lines_are "$S/a/args" 1
	wait_until 5 lines_are "$S/b/args" 1
	[ "$(head -n 1 "$S/a/args")" = "7 0" ]
	[ "$(head -n 1 "$S/b/args")" = "-1 9" ]
	sup_stop
}

@test "down keeps a service down until it is asked for" {
	service a 'exec sleep 1000'
	touch "$S/a/down"
	sup_start
	[ "$(sup_field a .state)" = down ]
	[ "$(sup_field a .pid)" = null ]
	run -0 sv status a
	[[ $output == "down: a: "* && $output != *"want"* ]]
	run -0 sv start a
	[[ $output == "ok: run: a: (pid "*"normally down" ]]
	sup_stop
}

@test "the pipe to the logger outlives both sides and loses nothing" {
	service a 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "$$ line $i"; done; exec sleep 1000'
	script "$T/log/run" 'exec cat >>out'
	mv "$S/a" "$T/a" && mv "$T/log" "$T/a/log" && mv "$T/a" "$S/a"
	sup_start
	wait_until 5 lines_are "$S/a/log/out" 2000
	logger=$(sup_field a .log.pid)
	kill -9 "$logger"
	wait_until 5 process_gone "$logger"	# a reader that is about to die may still take what comes
	sv kill a
	wait_until 10 lines_are "$S/a/log/out" 4000
	sup_stop
	[ "$(sort -u "$S/a/log/out" | wc -l)" -eq 4000 ]
	[ "$(wc -l <"$S/a/log/out")" -eq 4000 ]
}

@test "what a service says last, and its finish, reaches the logger before the end" {
	service a 'trap "echo bye; exit 0" TERM; echo hello; while :; do sleep 1000 & wait; done'
	script "$S/a/finish" 'echo finished "$1"'
	script "$S/a/log/run" 'exec cat >out'
	sup_start
	wait_for "$S/a/log/out" hello
	sup_stop
	run -0 cat "$S/a/log/out"
	[ "$output" = $'hello\nbye\nfinished 0' ]
}

@test "readiness: supervise is ready when every service that can tell has told" {
	mkfifo "$T/go"
	service a "read -r x <'$T/go'; echo >&5; exec sleep 1000"
	echo 5 >"$S/a/notification-fd"
	service b 'exec sleep 1000'
	mkfifo "$T/ready"
	exec {fd}<>"$T/ready"
	daemon_run sup supervise -L text -F 7 "$S" 7>"$T/ready"
	wait_until 5 sup_is b run
	[ "$(sup_field a .ready)" = false ]
	[ "$(sup_field b .ready)" = null ]
	run -1 supervise -s "$S"
	run ! read -r -t 0.05 -u "$fd" x
	echo >"$T/go"
	wait_for "$T/sup.err" "2 services are up"
	read -r -t "$PATIENCE" -u "$fd" x
	[ "$(sup_field a .ready)" = true ]
	[[ $(sup_field a .ready_since) == 20*Z ]]
	run -0 supervise -s "$S"
	sv restart a >/dev/null &
	sv=$!
	wait_until 5 restarted a 1
	[ "$(sup_field a .ready)" = false ]
	echo >"$T/go"
	wait "$sv"
	sup_stop
}

@test "a new directory is taken up, a removed one is stopped and let go" {
	sup_start
	service a 'exec sleep 1000'
	wait_until 5 sup_is a run
	pid=$(sup_pid a)
	mv "$S/a" "$T/a"
	wait_until 5 process_gone "$pid"
	# It is shown until its last record is written and its files are closed.
	forgotten() { [ -z "$(sup_field a .name)" ]; }
	wait_until 5 forgotten
	[ "$(cat "$T/a/supervise/stat")" = down ]
	run -1 sv -w 1 status "$T/a"
	[[ $output == *"runsv not running"* ]]
	mv "$T/a" "$S/a"
	wait_until 5 sup_is a run
	sup_stop
}

@test "a directory made anew under the same name is a new service, after the old one has ended" {
	service a 'trap "echo old ended >>'"$T"'/order; exit 0" TERM; echo on >on; while :; do sleep 1000 & wait; done'
	sup_start
	wait_for "$S/a/on" on
	script "$T/fresh/run" "echo new began >>'$T/order'; exec sleep 1000"
	mkdir "$T/old"
	mv "$S/a" "$T/old/a" && mv "$T/fresh" "$S/a"
	wait_for "$T/order" "new began"
	[ "$(cat "$T/order")" = $'old ended\nnew began' ]
	sup_stop
}

@test "two names of one directory are one service; a link may be renamed" {
	script "$T/real/run" 'exec sleep 1000'
	ln -s "$T/real" "$S/a"
	ln -s "$T/real" "$S/b"
	sup_start
	[ "$(supervise -s --json "$S" | wc -l)" -eq 1 ]
	pid=$(supervise -s --json "$S" | jq .pid)
	rm "$S/a"
	mv "$S/b" "$S/c"
	kill -ALRM "$(daemon_pid sup)"
	service d 'exec sleep 1000'
	wait_until 5 sup_is d run
	kill -0 "$pid"
	# It goes by its old name, so that another of that name waits, and is told of.
	name=$(supervise -s --json "$S" | jq -r 'select(.name != "d") | .name')
	service "$name" 'exec sleep 1000'
	wait_for "$T/sup.err" "$name: not taken: the directory that runs under this name has another one now"
	mv "$S/c" "$S/.c"
	renewed() { [[ $(sup_pid "$name") != none && $(sup_pid "$name") != "$pid" ]]; }
	wait_until 5 renewed
	sup_stop
}

@test "the table for people and the JSON agree" {
	service up 'exec sleep 1000'
	service crash 'exit 3'
	sup_start
	# It starts again between the waits: both must see it in one.
	both_tell() {
		run -1 supervise -s "$S"
		[[ ${lines[1]} == crash*crash-loop* && $(sup_field crash '"\(.state) \(.last_exit.code) \(.next_start)"') == "crash-loop 3 20"*Z ]]
	}
	wait_until 10 both_tell
	[[ ${lines[0]} == NAME*STATE*PID*RESTARTS* ]]
	[[ ${lines[1]} == crash*crash-loop*"code 3" ]]
	[[ ${lines[2]} == up*run* ]]
	sup_stop
}

@test "a service whose state is half written is waited for, and shown as it stands in the end" {
	local row
	service a 'exec sleep 1000'
	sup_start
	wait_until 10 sup_is a run
	# An odd number in front: supervise is between two stores. Its first change makes that a whole row again.
	row=$(od -A n -t u1 -j 64 -N 1 "$S/.supervise/state")
	printf '%b' "\\x$(printf %x $((row | 1)))" | dd of="$S/.supervise/state" bs=1 seek=64 conv=notrunc status=none
	[ "$(supervise -s --json "$S" | jq -r '.name + " " + .state')" = "a run" ]
	sup_stop
}

@test "of services that are removed nothing is written and no lock is held when they are not shown any more" {
	local i
	for i in $(seq 30); do service "a$i" 'exec sleep 1000'; done
	sup_start
	wait_until 20 sup_is a30 run
	mkdir "$T/gone"
	mv "$S"/a* "$T/gone"
	none() { [ -z "$(supervise -s --json "$S")" ]; }
	wait_until 20 none
	for i in "$T"/gone/*; do flock -n "$i/supervise/lock" true || return 1; done
	rm -r "$T/gone"
	sup_stop
}

@test "when run begins sv sees its supervisor: a run may ask about itself, and about others when these are taken up; NOTIFY_SOCKET is supervise's own" {
	script "$S/a/run" 'sv status . >said 2>&1; until sv start ../b >>said 2>&1; do sleep 0.1; done; echo "${NOTIFY_SOCKET-none}" >socket; exec sleep 1000'
	service b 'exec sleep 1000'
	touch "$S/b/down"
	NOTIFY_SOCKET=$T/nobody sup_start
	wait_for "$S/a/socket" none
	[[ $(head -n 1 "$S/a/said") == *": .: "* && $(head -n 1 "$S/a/said") != fail* && $(head -n 1 "$S/a/said") != warning* ]] || { cat "$S/a/said"; false; }
	[[ $(tail -n 1 "$S/a/said") == "ok: run: ../b: "* ]] || { cat "$S/a/said"; false; }
	wait_for "$T/sup.err" 'cannot tell READY=1'
	sup_stop
}

@test "a supervise that is starting is not taken for the one that was killed" {
	service a 'exec sleep 1000'
	sup_start
	cp "$S/.supervise/state" "$T/before"
	sup_stop
	sup_start
	mv "$T/before" "$S/.supervise/state"
	run -111 supervise -s "$S"
	[[ $output == *"is starting: nothing is known yet"* ]]
	sup_stop
}

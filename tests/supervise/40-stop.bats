load ../lib/daemon
load services

@test "TERM stops everything and exits 0; INT too; HUP exits 111" {
	for sig in TERM:0 INT:0 HUP:111; do
		rm -rf "$S/a"
		service a 'exec sleep 1000'
		sup_start
		pid=$(sup_pid a)
		daemon_signal sup "${sig%:*}"
		daemon_wait sup
		[ "$status" -eq "${sig#*:}" ]
		process_gone "$pid"
		stat_is a down
	done
}

@test "processes that a service left behind are ended, in whatever session they are" {
	service a 'sleep 1001 & echo $! >>kids; setsid sleep 1002 & echo $! >>kids; (sleep 1003 & echo $! >>kids); exec sleep 1000'
	sup_start
	wait_until 5 lines_are "$S/a/kids" 3
	sup_stop
	for pid in $(cat "$S/a/kids"); do process_gone "$pid"; done
}

@test "what ignores TERM is killed when the time is over, with its group" {
	service a 'trap "" TERM; sleep 1001 & echo $! >kid; echo on >on; while :; do sleep 1000 & wait; done'
	script "$S/a/finish" 'echo "$@" >args'
	sup_start -k 300ms
	wait_until 5 lines_are "$S/a/on" 1
	sup_stop
	[ "$(cat "$S/a/args")" = "-1 9" ]
	process_gone "$(cat "$S/a/kid")"
	grep -q "did not end in time" "$T/sup.err"
}

@test "a finish and a logger that hang are killed, too" {
	service a 'exec sleep 1000'
	script "$S/a/finish" 'trap "" TERM; exec sleep 1001'
	script "$S/a/log/run" 'trap "" TERM; exec sleep 1002'
	sup_start -k 300ms
	sup_stop
	[ "$(grep -c 'did not end in time' "$T/sup.err")" -eq 2 ]
}

@test "an orphan that ignores TERM and holds the logger's pipe does not hold the end up" {
	service a '(trap "" TERM; exec sleep 1001) & echo $! >kid; echo hello; exec sleep 1000'
	script "$S/a/log/run" 'exec cat >out'
	sup_start -k 300ms
	wait_for "$S/a/log/out" hello
	sup_stop
	process_gone "$(cat "$S/a/kid")"
}

@test "loggers end last: they see the end of their input, not a signal" {
	service a 'trap "for i in 1 2 3 4 5; do echo last \$i; done; exit 0" TERM; echo on >on; while :; do sleep 1000 & wait; done'
	script "$S/a/log/run" 'trap "echo signalled >>out" TERM' 'while read -r x; do echo "$x" >>out; done' 'echo end >>out'
	sup_start
	wait_for "$S/a/on" on
	sup_stop
	[ "$(cat "$S/a/log/out")" = $'last 1\nlast 2\nlast 3\nlast 4\nlast 5\nend' ]
}

@test "a logger that is down or crashed still gets what is in the pipe" {
	service a 'echo one; exec sleep 1000'
	script "$S/a/log/run" 'test -e ok || exit 1' 'exec cat >out'
	sup_start
	logger_loops() { [ "$(sup_field a .log.state)" = crash-loop ]; }
	wait_until 20 logger_loops
	touch "$S/a/log/ok"
	sup_stop
	[ "$(cat "$S/a/log/out")" = one ]
}

@test "killed with -9, it can be started again; the state of old is not believed" {
	service a 'exec sleep 1000'
	sup_start
	pid=$(sup_pid a)
	daemon_kill sup
	run -111 supervise -s "$S"
	run -1 sv status a
	[[ $output == *"runsv not running"* ]]
	kill "$pid"
	wait_until 5 process_gone "$pid"
	sup_start
	[ "$(sup_pid a)" != "$pid" ]
	sup_stop
}

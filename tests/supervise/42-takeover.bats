# kill -9 of supervise: services live on, and the next supervise takes them over.
load ../lib/daemon
load services

# A kill and a new one; what it says goes to sup.err.
again() {
	daemon_kill sup
	sup_start "$@"
}

@test "run lives on under the new one with the same process, and dies, restarts and stops under it" {
	service a 'exec sleep 1000'
	script "$S/a/finish" 'echo "$@" >>args'
	sup_start
	pid=$(sup_pid a)
	since=$(sup_field a .since)
	again
	[ "$(sup_pid a)" = "$pid" ]
	[ "$(sup_field a .since)" = "$since" ]
	grep -q "a: process $pid lives on and is taken over" "$T/sup.err"
	run -0 sv status a
	[[ $output == "run: a: (pid $pid) "* ]]
	again
	[ "$(sup_pid a)" = "$pid" ]
	kill "$pid"
	wait_until 5 restarted a 1
	wait_until 5 sup_is a run
	[ "$(sup_pid a)" != "$pid" ]
	[[ $(cat "$S/a/args") == "-1 15" || $(cat "$S/a/args") == "-1 0" ]]	# kernels before 6.15 do not tell
	again
	pid=$(sup_pid a)
	run -0 sv -v down a
	[[ $output == "ok: down: a: "* ]]
	process_gone "$pid"
	again
	sup_is a down
	run -0 sv -v up a
	sup_stop
}

@test "commands reach a process that was taken over; what was asked for is still wanted" {
	service a "trap 'echo hup >>got' HUP; trap 'echo term >>got' TERM; echo go >>got; while :; do sleep 1000 & wait; done"
	service o 'exec sleep 1000'
	sup_start
	wait_for "$S/a/got" go
	sv once o
	wait_until 5 stat_is o "run, want down"
	sv down a
	wait_for "$S/a/got" term
	: >"$S/a/got"
	again
	wait_for "$S/a/got" term	# told again: it may not have been
	stat_is a "run, got TERM, want down"
	stat_is o "run, want down"
	sv hup a
	wait_for "$S/a/got" hup
	sv -v pause a
	again
	stat_is a "run, paused, got TERM, want down"
	run -0 sv cont a
	sv kill a o
	wait_until 5 stat_is a down
	wait_until 5 stat_is o down
	sup_stop
}

@test "what died meanwhile is restarted, what had been let wait waits on" {
	service a 'exec sleep 1000'
	service c 'echo x >>out; exit 1'
	sup_start
	wait_until 10 sup_is c crash-loop
	n=$(wc -l <"$S/c/out")
	pid=$(sup_pid a)
	daemon_kill sup
	kill -9 "$pid"
	wait_until 5 process_gone "$pid"
	sup_start
	[ "$(sup_pid a)" != "$pid" ]
	[ "$(sup_field a .restarts)" -ge 1 ]
	[ "$(sup_field c .restarts)" -ge $((n - 1)) ]
	sup_stop
}

@test "a service and its logger keep their pipe, and lose nothing" {
	service a 'exec 8<>hang; i=0; while :; do i=$((i+1)); echo "$i"; read -r x <&8; done'
	mkfifo "$S/a/hang"
	script "$S/a/log/run" 'exec cat >>out'
	sup_start
	wait_until 5 lines_are "$S/a/log/out" 1
	main=$(sup_pid a) log=$(sup_field a .log.pid)
	daemon_kill sup
	echo >"$S/a/hang"
	wait_until 5 lines_are "$S/a/log/out" 2
	sup_start
	[ "$(sup_pid a)" = "$main" ]
	[ "$(sup_field a .log.pid)" = "$log" ]
	# The logger goes: the pipe is held, and its successor has it.
	kill -9 "$log"
	wait_until 5 process_gone "$log"	# what it reads with its last breath is lost
	echo >"$S/a/hang"
	wait_until 5 lines_are "$S/a/log/out" 3
	[ "$(sup_pid a)" = "$main" ]
	log=$(sup_field a .log.pid)
	# And the service.
	kill -9 "$main"
	wait_until 5 restarted a 1
	wait_until 5 lines_are "$S/a/log/out" 4
	[ "$(sup_field a .log.pid)" = "$log" ]
	sup_stop
	[ "$(tr '\n' ' ' <"$S/a/log/out")" = "1 2 3 1 " ]
	process_gone "$log"
}

@test "one that is getting ready is not hurt, and can still tell" {
	service a 'exec 8<>go; read -r x <&8; echo >&5; read -r x <&8'
	mkfifo "$S/a/go"
	echo 5 >"$S/a/notification-fd"
	daemon_run sup supervise -L text "$S"
	wait_until 5 sup_is a run
	pid=$(sup_pid a)
	daemon_kill sup
	daemon_run sup supervise -L text "$S"
	wait_until 5 sup_is a run
	[ "$(sup_field a .ready)" = false ]
	echo >"$S/a/go"
	wait_until 5 is_ready
	[ "$(sup_pid a)" = "$pid" ]
	sup_stop
}
is_ready() { [ "$(sup_field a .ready)" = true ]; }

@test "what a process that was taken over leaves behind is ended: born as it ended, or later of what it left" {
	for i in 1 2 3 4 5 6; do	# as it ends: within the same tick of the kernel's clock
		service "a$i" 'trap "sleep 1001 & echo \$! >kid; exit" TERM; echo on >on; read -r x <../../never'
	done
	mkfifo "$T/go" "$T/never"
	service b "(read -r x <'$T/go'; sleep 1002 & echo \$! >kid; wait) & exec sleep 1000"
	sup_start
	for i in 1 2 3 4 5 6; do wait_for "$S/a$i/on" on; done
	again
	for i in 1 2 3 4 5 6; do run -0 sv -v down "a$i"; done
	run -0 sv -v down b
	echo go >"$T/go"
	wait_until 5 lines_are "$S/b/kid" 1
	sup_stop
	for kid in "$S"/*/kid; do process_gone "$(cat "$kid")"; done
}

@test "a process number that is another's now is not believed" {
	service a 'exec sleep 1000'
	sup_start
	pid=$(sup_pid a)
	daemon_kill sup
	# The record says that it was born long before.
	python3 - "$S/.supervise/keep" "$pid" <<'PY'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
at = b.index(struct.pack('<IIq', int(sys.argv[2]), 0, 0)[:8])
before, after = struct.unpack_from('<qq', b, at + 8)
assert before > 0 and after >= before
struct.pack_into('<qq', b, at + 8, before - 10**11, after - 10**11)
open(sys.argv[1], 'r+b').write(b)
PY
	sup_start
	[ "$(sup_pid a)" != "$pid" ]
	kill -0 "$pid"		# and is not touched
	kill "$pid"
	sup_stop
}

@test "without a record: a process that may be an earlier run is named, and nothing is started beside it" {
	service a 'exec sleep 1000'
	service c 'exec sleep 1000'
	sup_start
	pid=$(sup_pid a)
	c=$(sup_pid c)
	daemon_kill sup
	rm "$S/.supervise/keep"
	# The clock was set back by an hour since.
	python3 - "$S/c/supervise/status" <<'PY'
import os, struct, sys
b = open(sys.argv[1], 'rb').read()
open(sys.argv[1], 'wb').write(struct.pack('>Q', struct.unpack('>Q', b[:8])[0] + 3600) + b[8:])
PY
	daemon_run sup supervise -L text "$S"
	wait_for "$T/sup.err" "a: process $pid seems to be an earlier run"
	wait_for "$T/sup.err" "c: process $c seems to be an earlier run"
	kill "$c"
	wait_until 5 sup_is a fault
	# Also when it is looked at again.
	service b 'exec sleep 1000'
	daemon_signal sup ALRM
	wait_until 5 sup_is b run
	[ "$(sup_field a .state)" = fault ]
	kill "$pid"
	wait_until 20 sup_is a run
	sup_stop
}

@test "what was told to exit is taken up by its file down" {
	service a 'trap "" TERM; echo on >on; exec sleep 1000'
	touch "$S/a/down"
	sup_start
	sv up a
	wait_for "$S/a/on" on
	sv exit a
	wait_until 5 grep -q 'want exit' "$S/a/supervise/stat"
	again
	[ "$(sup_field a .state+.want)" = rundown ]
	sv kill a
	wait_until 5 sup_is a down
	sup_stop
}

@test "a record of another boot, another version, or noise is not believed" {
	service a 'exec sleep 1000'
	sup_start
	sv -v down a
	daemon_kill sup
	for how in '0 x' '40 y' noise empty; do
		case $how in
		noise) head -c 5000 /dev/urandom >"$S/.supervise/keep" ;;
		empty) : >"$S/.supervise/keep" ;;
		*) printf %s "${how#* }" | dd of="$S/.supervise/keep" bs=1 seek="${how% *}" conv=notrunc status=none ;;
		esac
		sup_start
		sup_is a run	# down was forgotten with the record
		sv -v down a
		daemon_kill sup
	done
	sup_start
	sup_is a down
	sup_stop
	[ ! -e "$S/.supervise/keep" ]
}

@test "a directory that went away meanwhile: what runs of it is stopped, and one made anew starts after it" {
	service a 'trap "echo old ended >>'"$T"'/order; exit 0" TERM; echo on >on; while :; do sleep 1000 & wait; done'
	service b 'exec sleep 1000'
	sup_start
	wait_for "$S/a/on" on
	b=$(sup_pid b)
	daemon_kill sup
	script "$T/fresh/run" "echo new began >>'$T/order'; exec sleep 1000"
	mv "$S/a" "$T/old" && mv "$T/fresh" "$S/a"
	mv "$S/b" "$T/oldb"
	sup_start
	wait_for "$T/order" "new began"
	[ "$(cat "$T/order")" = $'old ended\nnew began' ]
	wait_until 5 process_gone "$b"
	sup_stop
}

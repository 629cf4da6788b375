load ../lib/daemon
load services

teardown() {
	local bad=0
	daemons_end || bad=1
	if findmnt "$S" >/dev/null; then umount "$S" || bad=1; fi
	return "$bad"
}

@test "run that is not there or not executable: finish is told 111, it is tried again, and up when it is there" {
	mkdir "$S/none" "$S/plain"
	echo '#!/bin/sh' >"$S/plain/run"
	script "$S/none/finish" 'echo "$@" >>args'
	daemon_run sup supervise -L text "$S"
	wait_until 5 lines_are "$S/none/args" 2
	[ "$(sort -u "$S/none/args")" = "111 0" ]
	wait_for "$T/sup.err" "none/run: No such file"
	wait_for "$T/sup.err" "plain/run: Permission denied"
	script "$S/none/run" 'exec sleep 1000'
	wait_until 20 sup_is none run
	sup_stop
}

@test "a directory that runsv holds is named, left alone, and taken when runsv is gone" {
	service a 'exec sleep 1000'
	daemon_run runsv runsv "$S/a"
	wait_until 5 stat_is a run
	daemon_run sup supervise -L text "$S"
	wait_for "$T/sup.err" "a/supervise/lock: held by another supervisor"
	wait_until 5 sup_is a fault
	[[ $(sup_field a .fault) == *"stop it first" ]]
	run -1 supervise -s "$S"
	[ "$(pgrep -c -P "$(daemon_pid runsv)")" -eq 1 ]
	daemon_stop runsv
	wait_until 20 sup_is a run
	# And the other way round: runsv and s6 refuse what we hold.
	run -111 runsv "$S/a"
	if command -v s6-supervise >/dev/null; then run -100 s6-supervise "$S/a"; fi
	sup_stop
}

@test "something that is no fifo in the place of control is a fault that is named" {
	service a 'exec sleep 1000'
	mkdir "$S/a/supervise"
	touch "$S/a/supervise/control"
	daemon_run sup supervise -L text "$S"
	wait_for "$T/sup.err" "a/supervise/control: File exists"
	rm "$S/a/supervise/control"
	wait_until 20 sup_is a run
	sup_stop
}

@test "fifos that somebody else holds: letters arrive, and what held an ok of before is not taken for a supervisor" {
	service a 'exec sleep 1000'
	mkdir "$S/a/supervise"
	mkfifo "$S/a/supervise/control" "$S/a/supervise/ok"
	exec {c}<>"$S/a/supervise/control" {o}<>"$S/a/supervise/ok"
	printf d >&"$c"
	sup_start
	wait_until 5 stat_is a down	# it was in the fifo
	run -0 sv -v up a
	printf k >&"$c"
	wait_until 5 restarted a 1
	sup_stop
	exec {c}>&-
	run -1 sv status a
	[[ $output == *"runsv not running"* ]]
	exec {o}>&-
}

@test "a logger that cannot be started: the service runs on, and what it says waits for one" {
	service a 'echo one; echo up >up; exec sleep 1000'
	mkdir "$S/a/log"
	daemon_run sup supervise -L text "$S"
	wait_for "$S/a/up" up
	wait_for "$T/sup.err" 'a/log/run: No such file'
	wait_until 5 sup_is a run
	script "$T/log/run" 'exec cat >>out'
	mv "$T/log/run" "$S/a/log/run"
	sv up a/log
	wait_for "$S/a/log/out" one
	logger=$(sup_field a .log.pid)
	kill -9 "$logger"
	wait_until 5 process_gone "$logger"	# a reader that is about to die may still take what comes
	sv kill a
	both_lines() { [ "$(cat "$S/a/log/out")" = $'one\none' ]; }
	wait_until 20 both_lines
	sup_stop
}

@test "a supervise that is a file, a dangling link, a link to a folder" {
	service a 'exec sleep 1000'
	service b 'exec sleep 1000'
	service c 'exec sleep 1000'
	touch "$S/a/supervise"
	ln -s "$T/away" "$S/b/supervise"
	mkdir "$T/there" && ln -s "$T/there" "$S/c/supervise"
	daemon_run sup supervise -L text "$S"
	wait_for "$T/sup.err" "a/supervise: Not a directory"
	wait_until 5 sup_is b run
	wait_until 5 sup_is c run
	[ -p "$T/away/control" ]
	[ -p "$T/there/ok" ]
	sup_stop
	# The folder of supervise itself, too: then the scanned directory may be read-only.
	rm -r "$S/.supervise" "$S/a"
	ln -s "$T/own" "$S/.supervise"
	sup_start
	[ -e "$T/own/lock" ]
	sup_stop
}

@test "notification-fd that is none is named, and the service runs without" {
	service a 'exec sleep 1000'
	echo nonsense >"$S/a/notification-fd"
	sup_start
	grep -q 'a/notification-fd: not a number: write one number from 3 to 1023' "$T/sup.err"
	[ "$(sup_field a .ready)" = null ]
	sup_stop
}

@test "files, dots and looping links in the directory are no services" {
	touch "$S/file"
	mkdir "$S/.hidden"
	ln -s loop "$S/loop"
	ln -s nowhere "$S/dangling"
	mkdir "$S/"$'new\nline'
	service a 'exec sleep 1000'
	sup_start
	[ "$(supervise -s --json "$S" | jq -r .name)" = a ]
	grep -q 'printable ASCII' "$T/sup.err"
	[ "$(grep 'loop: ' "$T/sup.err")" = "supervise: warning: loop: Too many levels of symbolic links: not taken" ]
	# A fault is looked at again, and nothing else told of again.
	mkdir "$T/b"
	touch "$T/b/supervise"
	mv "$T/b" "$S/b"
	wait_until 5 sup_is b fault
	[[ $(sup_field b .since) == 20*Z ]]
	said=$(grep -c 'loop: ' "$T/sup.err")
	rm "$S/b/supervise"
	script "$S/b/run" 'exec sleep 1000'
	wait_until 20 sup_is b run
	[ "$(grep -c 'loop: ' "$T/sup.err")" = "$said" ]
	sup_stop
}

@test "a state file that is none is refused, not believed" {
	sup_start
	head -c 10000 /dev/urandom >"$T/noise"
	cp "$T/noise" "$S/.supervise/state"
	run -111 supervise -s "$S"
	[[ $output == *".supervise/state: "* ]]
	: >"$S/.supervise/state"
	run -111 supervise -s "$S"
	daemon_kill sup
}

@test "a full disk: services start, die and stop; sv keeps seeing it; a warning is said; with room the files say what is" {
	mount -t tmpfs -o size=160k,nr_inodes=200 none "$S" 2>/dev/null || S=$(mktemp -d -p "$T")
	findmnt "$S" >/dev/null || { echo "no right to mount a small tmpfs here" >&2; return 0; }
	service a 'exec sleep 1000'
	sup_start
	head -c 1M /dev/zero >"$S/fill" 2>/dev/null || true
	run -0 sv -v down a
	run -0 sv -v up a
	[[ $output == "ok: run: a: (pid $(sup_pid a)) "* ]]
	n=$(grep -c "stat.*: No space left" "$T/sup.err")
	[ "$n" -ge 1 ]
	[ "$n" -le 4 ]
	right() { [ "$(cat "$S/a/supervise/pid")" = "$(sup_pid a)" ] && grep -qx run "$S/a/supervise/stat"; }
	run -1 right
	rm "$S/fill"
	wait_until 10 right
	sup_stop
}

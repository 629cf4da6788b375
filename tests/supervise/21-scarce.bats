# What is scarce: descriptors, processes, directories that go away.
load ../lib/daemon
load services

# under LIMITS...: a supervise under these limits (a subshell's), as daemon "sup"
under() {
	(ulimit "$@"; daemon_run sup supervise -L text "$S"; echo "${DAEMON_PID[sup]}" >"$T/pid")
	DAEMON_PID[sup]=$(cat "$T/pid")
}
gone() { kill "${DAEMON_PID[sup]}"; wait_until 5 process_gone "${DAEMON_PID[sup]}"; unset 'DAEMON_PID[sup]'; }
runs() { supervise -s --json "$S" | jq -s "map(select(.state == \"$1\")) | length"; }
# A folder and a program that another user can get at: in the test's own folder it may not.
as_other() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip "needs root and setpriv"
	OTHER=$(mktemp -d)
	chmod 755 "$OTHER"
	cp "$BIN/supervise" "$OTHER/"
	S=$OTHER/s SVDIR=$OTHER/s
	mkdir "$S"
}
other() { chown -R 64321 "$S"; daemon_run sup setpriv --reuid 64321 --clear-groups --inh-caps=-all "$@"; }
teardown() {
	local bad=0
	daemons_end || bad=1
	[ -z "${OTHER:-}" ] || rm -rf "$OTHER"
	return "$bad"
}
running() { [ "$(runs run)" -ge "$1" ]; }

@test "more services than descriptors: those that there is room for run, restart and are controlled; the others are named, and come when there is room" {
	script "$T/run" 'exec sleep 1000'
	for i in $(seq 60); do mkdir "$S/s$i"; ln -s "$T/run" "$S/s$i/run"; done
	under -n 160
	wait_until 10 running 20
	wait_for "$T/sup.err" 'not taken: descriptor .* is near the limit; raise it'
	wait_until 5 faults
	up=$(supervise -s --json "$S" | jq -r 'select(.state == "run") | .name' | head -n 1)
	n=$(runs run)
	wait_until 5 stat_is "$up" run
	sv -v down "$up"
	run -0 sv -v up "$up"
	[ "$(ls "/proc/$(cat "$T/pid")/fd" | wc -l)" -le 160 ]
	mkdir "$T/away"
	for s in $(supervise -s --json "$S" | jq -r 'select(.state == "run") | .name' | tail -n 8); do mv "$S/$s" "$T/away/"; done
	wait_until 30 running "$n"
	gone
}
faults() { [ "$(runs fault)" -ge 10 ]; }

@test "a fork that fails is a run that failed: it backs off, and starts when it can" {
	as_other
	service a 'echo run >>got; exec sleep 1000'
	other prlimit --nproc=2:100 "$OTHER/supervise" -L text "$S"
	wait_for "$T/sup.err" 'a/run: Resource temporarily unavailable'
	wait_until 5 sup_is a crash-loop
	setpriv --reuid 64321 --clear-groups prlimit --pid "$(daemon_pid sup)" --nproc=100:100
	wait_until 20 sup_is a run
	[ "$(cat "$S/a/got")" = run ]
	sup_stop
}

@test "a directory that is removed while its service runs: it is stopped, and nothing of it is left" {
	service a 'exec sleep 1000'
	script "$S/a/log/run" 'exec cat >/dev/null'
	service b 'exec sleep 1000'
	sup_start
	pid=$(daemon_pid sup)
	for s in a a/log b; do wait_until 5 stat_is $s run; done
	fds=$(daemon_fds sup)
	for i in 1 2; do
		run=$(sup_pid a) log=$(sup_field a .log.pid)
		rm -rf "$S/a"
		wait_until 5 process_gone "$run"
		wait_until 5 process_gone "$log"
		wait_until 5 forgotten
		service a 'exec sleep 1000'
		script "$T/log/run" 'exec cat >/dev/null'
		mv "$T/log" "$S/a/log"
		wait_until 5 sup_is a run
		sv exit a
		wait_until 5 sup_is a exited
		daemon_signal sup ALRM
		wait_until 5 logged
	done
	same() { [ "$(daemon_fds sup)" -eq "$fds" ]; }
	wait_until 5 same
	[ -z "$(ps -o stat= --ppid "$pid" | grep Z)" ]
	sup_stop
}
forgotten() { [ -z "$(sup_field a .name)" ]; }
logged() { [ "$(sup_field a .log.state)" = run ]; }

@test "the scanned directory itself is removed: everything stops, supervise waits to be told" {
	mkdir "$S/sub" && S=$S/sub
	service a 'exec sleep 1000'
	sup_start
	run=$(sup_pid a)
	mv "$S/a" "$T/a"
	rm -rf "$S"
	wait_until 5 process_gone "$run"
	daemon_alive sup
	sup_stop
}

@test "a folder that may not be entered is named; the others run" {
	as_other
	service a 'exec sleep 1000'
	service b 'exec sleep 1000'
	chmod 0 "$S/b"
	other "$OTHER/supervise" -L text "$S"
	wait_until 5 sup_is a run
	wait_for "$T/sup.err" 'b: Permission denied'
	wait_until 5 sup_is b fault
	chmod 755 "$S/b"
	wait_until 20 sup_is b run
	sup_stop
}

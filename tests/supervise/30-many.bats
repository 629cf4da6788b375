load ../lib/daemon
load services

# Thousands of small files are made faster in memory.
in_memory() {
	MEMORY=$(mktemp -d /dev/shm/penstock-test.XXXXXX 2>/dev/null) || return 0
	S=$MEMORY/s SVDIR=$MEMORY/s
	mkdir "$S"
}
teardown() {
	local bad=0
	daemons_end || bad=1
	[ -z "${MEMORY:-}" ] || rm -rf "$MEMORY"
	return "$bad"
}
# many N: so many directories s0, s1, ... in $S, whose run is a link to $T/run; in one process
many() {
	script "$T/run" 'exec sleep 1000'
	python3 -c 'import os, sys
for i in range(int(sys.argv[3])):
    os.mkdir(f"{sys.argv[1]}/s{i}")
    os.symlink(sys.argv[2], f"{sys.argv[1]}/s{i}/run")' "$S" "$T/run" "$1"
}
quiet() { # SECONDS without a process
	local x
	[ -p "$T/quiet" ] || mkfifo "$T/quiet"
	read -r -t "$1" x <>"$T/quiet" || true
}

@test "500 services: one process, up, told of, and down without a descriptor or a zombie left" {
	in_memory
	many 500
	sup_start
	pid=$(daemon_pid sup)
	[ "$(supervise -s --json "$S" | jq -r 'select(.state=="run").name' | wc -l)" -eq 500 ]
	[ "$(pgrep -c -P "$pid")" -eq 500 ]
	# Made by several threads, and as one would make them.
	[ "$(stat -c %a "$S"/s7/supervise{,/lock,/control,/ok,/status} | tr '\n' ' ')" = "700 600 600 600 644 " ]
	[ "$S/s7/supervise/ok" -ef "$S/s7/supervise/control" ]
	fds=$(daemon_fds sup)
	# Everything dies once.
	pkill -9 -P "$pid"
	all_again() { [ "$(supervise -s --json "$S" | jq -r 'select(.restarts>=1 and .state=="run").name' | wc -l)" -eq 500 ]; }
	wait_until 20 all_again
	same_fds() { [ "$(daemon_fds sup)" -eq "$fds" ]; }
	wait_until 5 same_fds	# a status file may be being written
	[ -z "$(ps -o stat= --ppid "$pid" | grep Z)" ]
	# Half of them go away.
	mkdir "$S/../gone"
	mv "$S"/s*[02468] "$S/../gone/"
	half() { [ "$(pgrep -c -P "$pid")" -eq 250 ]; }
	wait_until 20 half
	sup_stop
}

@test "children get the limit of descriptors that supervise was given" {
	service a 'ulimit -n >out; exec sleep 1000'
	(ulimit -Sn 300; sup_start; echo "${DAEMON_PID[sup]}" >"$T/pid")
	DAEMON_PID[sup]=$(cat "$T/pid")
	wait_until 5 lines_are "$S/a/out" 1
	[ "$(cat "$S/a/out")" = 300 ]
	[ "$(awk '/Max open files/ {print $4}' "/proc/$(cat "$T/pid")/limits")" -ge 300 ]
	kill "${DAEMON_PID[sup]}"
	wait_until 5 process_gone "${DAEMON_PID[sup]}"
	unset 'DAEMON_PID[sup]'
}

@test "idle, it does not wake" {
	service a 'exec sleep 1000'
	script "$S/a/log/run" 'exec cat'
	sup_start
	wakes() { awk '/^voluntary_ctxt/ { n += $2 } END { print n }' "/proc/$(daemon_pid sup)/task"/*/status; }
	looked() { [ "$(wakes)" -eq "$n" ] || { n=$(wakes); false; }; }	# the look at what its own files changed in the folder
	n=0
	settled() { quiet 0.5; looked; }
	wait_until 5 settled
	quiet 1.5
	[ "$(wakes)" -eq "$n" ]
	sup_stop
}

@test "5000 services: three descriptors each, all are known, and let go" {
	[ "$(ulimit -Hn)" -ge 15200 ] || [ "$(ulimit -Hn)" = unlimited ] || skip "the hard limit of descriptors is below 15200"
	in_memory
	many 5000
	(cd "$S" && printf 's%d/down\n' {0..4999} | xargs touch)
	sup_start
	[ "$(ls "/proc/$(daemon_pid sup)/fd" | wc -l)" -le 15100 ]
	[ "$(supervise -s "$S" | grep -c ' down ')" -ge 5000 ]
	run -0 sv up s4999
	wait_until 5 sup_is s4999 run
	[ "$(awk '/^Pss:/ { print $2 }' "/proc/$(daemon_pid sup)/smaps_rollup")" -lt 40960 ]	# 8 KiB each
	sup_stop
}

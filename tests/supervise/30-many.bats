load ../lib/daemon
load services

@test "500 services: one process, up, told of, and down without a descriptor or a zombie left" {
	for i in $(seq 500); do
		mkdir "$S/s$i"
		ln -s "$T/run" "$S/s$i/run"
	done
	script "$T/run" 'exec sleep 1000'
	sup_start
	pid=$(daemon_pid sup)
	[ "$(supervise -s --json "$S" | jq -r 'select(.state=="run").name' | wc -l)" -eq 500 ]
	[ "$(pgrep -c -P "$pid")" -eq 500 ]
	fds=$(ls "/proc/$pid/fd" | wc -l)
	# Everything dies once.
	pkill -9 -P "$pid"
	all_again() { [ "$(supervise -s --json "$S" | jq -r 'select(.restarts>=1 and .state=="run").name' | wc -l)" -eq 500 ]; }
	wait_until 20 all_again
	same_fds() { [ "$(ls "/proc/$pid/fd" | wc -l)" -eq "$fds" ]; }
	wait_until 5 same_fds	# a status file may be being written
	[ -z "$(ps -o stat= --ppid "$pid" | grep Z)" ]
	# Half of them go away.
	mkdir "$T/gone"
	mv "$S"/s*[02468] "$T/gone/"
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
	sup_start
	wakes() { awk '/^voluntary_ctxt/ {print $2}' "/proc/$(daemon_pid sup)/status"; }
	n=$(wakes)
	read -r -t 3 x <>"$T/.pause" || true
	[ $(($(wakes) - n)) -le 1 ]
	sup_stop
}

load ../lib/daemon
load ../lib/line
load tree

@test "route killed while lines are sent: each arrives once, in order" {
	tree_small
	tree_up
	DAEMON_KILLED=yes
	events 1 60000 7 >"$T/in"
	daemon_run send penstock -C "$D" send "$T/in"
	# Another one than was killed last: that one may not be missed yet.
	local pid=none killed=none
	runs() { pid=$(service_pid route) && [ "$pid" != none ] && [ "$pid" != "$killed" ]; }
	for n in 1000 12000 30000; do
		wait_until 30 accepted "$n"
		wait_until 30 runs
		kill -9 "$pid"
		killed=$pid
	done
	PATIENCE=60 daemon_wait send
	[ "$status" -eq 0 ]
	tree_down
	spooled >"$T/out"
	[ "$(wc -l <"$T/out")" -eq 60000 ]
	cmp <(ids "$T/in" | sort) <(ids "$T/out" | sort)
	cmp <(grep -F '"test:r3"' "$T/in") <(grep -F '"test:r3"' "$T/out")
}

@test "route down for a while: send waits, and --wait bounds it" {
	tree_small
	tree_up
	p stop route
	events 1 100 >"$T/in"
	daemon_run send penstock -C "$D" send "$T/in"
	run -1 p send --wait 300ms "$T/in"
	[[ $output == *"100 lines without an answer from route"*"0 lines acknowledged, 0 refused; the others may be sent again"* ]]
	p start route
	daemon_wait send
	[ "$status" -eq 0 ]
	[ "$(p status --json | jq .intake.accepted)" -eq 100 ]
}

@test "services come back after kill -9, and the tree goes down cleanly" {
	tree_small
	tree_up
	DAEMON_KILLED=yes
	old=$(service_pid route)
	kill -9 "$old"
	again() { [ "$(service_field route '.state + " " + (.restarts | tostring)')" = "run 1" ]; }
	wait_until 10 again
	p send --text hello
	run -0 p down
}

@test "supervise killed with -9: the next one takes over what it left; down without one ends it" {
	tree_small
	tree_up
	DAEMON_KILLED=yes
	pid=$(service_pid route)
	sup=$(p status --json | jq .supervise)
	kill -9 "$sup"
	wait_until 5 process_gone "$sup"
	kill -0 "$pid"
	run -0 tree_up
	[[ $output == *"route: process $pid still runs"*"taken over"*"up."* ]]
	[ "$(service_pid route)" = "$pid" ]
	p send --text hello
	sup=$(p status --json | jq .supervise)
	kill -9 "$sup"
	wait_until 5 process_gone "$sup"
	run -0 p down
	[[ $output == *"it is told to end"*"is down" ]]
	process_gone "$pid"
	tree_up
	p send --text hello
	run -0 p down
	[[ $output == "$D: is down" ]]
}

@test "supervise killed with -9 while down waits for it: what it left is ended all the same" {
	tree_small
	tree_up
	DAEMON_KILLED=yes
	pid=$(service_pid route)
	sup=$(p status --json | jq .supervise)
	kill -STOP "$sup"
	daemon_run down penstock -C "$D" down
	stopping() { [ "$(awk '/^ShdPnd/ { print $2 }' "/proc/$sup/status")" != 0000000000000000 ]; }
	wait_until 5 stopping
	kill -9 "$sup"
	daemon_wait down
	[ "$status" -eq 0 ]
	process_gone "$pid"
}

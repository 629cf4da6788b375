#!/usr/bin/env bats
# penstock swap killed with -9 in each of its phases: the next swap, --back or up ends what was begun, and no line is lost or repeated.
load ../lib/daemon
load ../lib/line
load tree
load swap

setup() {
	tree_new
	tree_up
	DAEMON_KILLED=yes
	# analyze, but slow to become ready while NAME.wait is there, and slow to end while NAME.stay is
	cat >"$T/slow" <<-'EOF2'
		#!/bin/sh
		# Not $pid: it may be told to end before it has noted that.
		end() { while [ -e "$0.stay" ]; do sleep 0.05; done; [ -z "$!" ] || { kill $!; wait $!; }; exit 0; }
		case "$*" in *ipc:*) ;; *) exec analyze "$@" ;; esac
		while [ -e "$0.wait" ]; do sleep 0.05; done
		trap end TERM
		analyze "$@" &
		pid=$!
		echo $pid >"$0.pid"
		while :; do wait $pid; done
	EOF2
	chmod +x "$T/slow"
}

one_in_force() { # SERVICE: it alone works, and the tree is up
	[ "$(phase)" = rest ] || [ "$(phase)" = none ] || { echo "phase $(phase)" >&2; return 1; }
	[ "$(in_force)" = "$1" ] || { echo "in force: $(in_force)" >&2; return 1; }
	[ "$(services)" = "$1 deliver gatewayd respond route store" ] || { echo "services: $(services)" >&2; return 1; }
	p status >/dev/null
}

# swap_until PHASE SERVICE ARGS...: begins a swap and kills it in that phase, when the service runs
swap_until() {
	local at=$1 service=$2
	shift 2
	daemon_run swap penstock -C "$D" swap "$@"
	wait_until 20 phase_is "$at"
	wait_until 20 service_is "$service" run
	daemon_kill swap
	[ "$(phase)" = "$at" ]
}
swap_to() { p swap --native --watch 50ms analyze -- "$@"; }

@test "killed while the new one is tried: the next swap begins anew" {
	load_begin 1000 5
	touch "$T/slow.wait"
	swap_until try analyze.1 --native analyze -- "$T/slow"
	rm "$T/slow.wait"
	run -0 swap_to analyze
	[[ $output == *"killed on its way (try): taken back"* ]]
	one_in_force analyze.2
	[ ! -e "$D/service/analyze.1" ]
	load_end
	exact 5000
}

@test "killed while the new one is watched: --back, and up, take it back" {
	load_begin 1000 5
	swap_until try analyze.1 --native --watch 60s analyze -- analyze
	run -1 p swap --back analyze
	[[ $output == *"killed on its way (try): taken back"*"nothing to take back"* ]]
	unchanged
	swap_until try analyze.1 --native --watch 60s analyze -- analyze
	load_end
	tree_down
	tree_up
	unchanged
	exact 5000
}

@test "killed while the old one drains: the next swap, and up, complete it" {
	swap_to "$T/slow"
	one_in_force analyze.1
	load_begin 1000 5
	wait_until 20 accepted 500
	touch "$T/slow.stay"
	swap_until turn analyze.1 --native --watch 50ms analyze -- analyze
	rm "$T/slow.stay"
	run -0 p swap --back analyze
	[[ $output == *"killed on its way (turn): completed"* ]]
	one_in_force analyze.1
	touch "$T/slow.stay"
	swap_until turn analyze.1 --native --watch 50ms analyze -- analyze
	rm "$T/slow.stay"
	load_end
	tree_down
	tree_up
	one_in_force analyze.3
	exact 5000
}

@test "killed on the way back: before the old one is ready the new one stays, afterwards it goes" {
	swap_to "$T/slow"
	swap_to analyze
	load_begin 1000 5
	wait_until 20 accepted 500
	touch "$T/slow.wait"
	swap_until reach analyze.1 --back analyze
	rm "$T/slow.wait"
	run -0 swap_to analyze
	[[ $output == *"killed on its way (reach): taken back"* ]]
	one_in_force analyze.3
	p swap --back analyze
	p swap --back analyze
	one_in_force analyze.1
	# Ready, and not trusted yet.
	swap_until reach analyze --back --watch 60s analyze
	run -0 p swap --back --watch 50ms analyze
	[[ $output == *"killed on its way (reach): taken back"* ]]
	swap_to "$T/slow"
	touch "$T/slow.stay"
	swap_until back "$(in_force)" --back --watch 50ms analyze
	rm "$T/slow.stay"
	load_end
	tree_down
	tree_up
	unchanged
	exact 5000
}

@test "the old one does not end: it is killed, and its lines are done by the new one" {
	swap_to "$T/slow"
	load_begin 1000 4
	wait_until 20 accepted 500
	touch "$T/slow.stay"
	run -0 p swap --native --watch 50ms --drain 300ms analyze -- analyze
	[[ $output == *"analyze.1 has not ended"*killed* ]]
	# What it had started lives on without it, and works for the same destination.
	rm "$T/slow.stay"
	kill -9 "$(cat "$T/slow.pid")"
	one_in_force analyze.2
	load_end
	exact 4000
}

@test "killed at any moment, six times: a swap afterwards works, nothing is lost or repeated" {
	load_begin 1000 9
	for ((i = 0; i < 6; i++)); do
		if [ $((i % 2)) = 0 ]; then
			daemon_run swap penstock -C "$D" swap --native --watch 150ms analyze -- analyze
		else
			daemon_run swap penstock -C "$D" swap --back analyze
		fi
		for ((n = 0; n < 4 + 7 * i % 19; n++)); do _pause; done
		kill -9 "$(daemon_pid swap)" 2>/dev/null || true
		daemon_wait swap
		echo "# $i: $(phase) $(services)"
	done
	p swap --native --watch 50ms analyze -- analyze
	while [ "$(in_force)" != analyze ]; do p swap --back analyze; done
	load_end
	unchanged
	exact 9000
}

# Looks that are quick: a swap does not wait for us. Lines are shared, so what comes is ready, and watched; the process of a service in $pid.
# On the way back the one that goes has all of them (100) until the other is ready.
is_watched() { # try|reach
	local split
	split=$(nngcat --req --dial "ipc://$D/run/control" --data '{"do":"split","dest":"analyze"}' --raw 2>/dev/null) || return 1
	[[ $split == *'"set":"analyze.'* && $split != *off_because* ]] || return 1
	if [ "$1" = try ]; then [[ $split == *'"percent":'[1-9]* ]]; else [[ $split != *'"percent":100,'* ]]; fi
}
has_process() { pid=$(cat "$D/service/$1/supervise/pid" 2>/dev/null) && [ -n "$pid" ]; }

# killed_during PHASE VICTIM ARGS...: kills -9 a process while swap ARGS watches; it succeeds, or says that nothing has changed
killed_during() {
	local at=$1 victim=$2 coming=analyze before pid
	shift 2
	before=$(in_force)
	daemon_run swap penstock -C "$D" swap --watch 3s "$@"
	wait_until 20 is_watched "$at"
	[ "$at" = reach ] || coming=$(sed 's/.*"trial":"\([^"]*\)".*/\1/' "$D/service/.swap/analyze")
	case $victim in new) victim=$coming ;; old) victim=$before ;; esac
	has_process "$victim"
	kill -9 "$pid"
	PATIENCE=60 daemon_wait swap
	echo "# $* $victim: code $status, in force $(in_force)"
	cat "$T/swap.err"
	[ "$(phase)" = none ] || [ "$(phase)" = rest ]
	[ $status -eq 0 ] || grep -q 'nothing has changed' "$T/swap.err"
	[ $status -eq 0 ] || [ "$(in_force)" = "$before" ]
	[ "$victim" != "$coming" ] || [ $status -eq 1 ]
	wait_until 20 service_is route run
}

@test "route, the old and the new stage killed during a swap and on the way back: it succeeds or changes nothing, nothing is lost or repeated" {
	load_begin 1000 12
	wait_until 20 accepted 200
	for victim in route old new; do
		killed_during try $victim --native analyze -- analyze
		[ "$(in_force)" != analyze ] || swap_to analyze
		killed_during reach $victim --back analyze
		[ "$(in_force)" = analyze ] || p swap --back --watch 50ms analyze
	done
	load_end
	unchanged
	exact 12000
}

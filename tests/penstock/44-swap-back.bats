#!/usr/bin/env bats
# Going back and promoting a shadow, when what comes does not do well: nothing has changed, and no line is lost or repeated.
load ../lib/daemon
load ../lib/line
load tree
load swap

setup() {
	tree_new
	tree_up
	# analyze, but not when a file says otherwise: when it is tried alone, behind the hub, and where it gives to the hub.
	cat >"$T/moody" <<-'EOF2'
		#!/bin/sh
		case "$*" in *ipc:*) ;; *) [ ! -e "$0.alone" ] || exit 3; exec analyze "$@" ;; esac
		[ ! -e "$0.broken" ] || exit 9
		[ ! -e "$0.hangs" ] || exec stage "$@" -a line -- sh -c 'read -r line; exec sleep 1000'
		[ ! -e "$0.refuses" ] || exec stage "$@" -a line -- sh -c 'read -r line; exit 111'
		case "$*" in *ipc://run/in*) while [ -e "$0.wait" ]; do sleep 0.05; done ;; esac
		exec analyze "$@"
	EOF2
	chmod +x "$T/moody"
	DAEMON_KILLED=yes
}
swap_to() { p swap --native --watch 50ms analyze -- "$@"; }
still() { [ "$(in_force)" = "$1" ] && [ "$(services)" = "$1 deliver gatewayd respond route store" ]; }

@test "back to one that fails alone, does not stay up, refuses lines, or does none" {
	swap_to "$T/moody"
	swap_to analyze
	load_begin 1000 60
	wait_until 20 accepted 200
	touch "$T/moody.refuses"
	run -1 p swap --back --watch 2s analyze
	echo "$output"
	[[ $output == *"analyze.1: "*"refused "*" lines"*"nothing has changed"* ]]
	still analyze.2
	mv "$T/moody.refuses" "$T/moody.hangs"
	run -1 p swap --back --watch 2s --wait 1s --drain 100ms analyze
	[[ $output == *"analyze.1: was given "*" lines, and did none of them in the time given by --wait"*"nothing has changed"* ]]
	still analyze.2
	load_cut
	rm "$T/moody.hangs"
	touch "$T/moody.alone"
	run -1 p swap --back analyze
	[[ $output == *"analyze.1 ended with code 3"*"nothing has changed"* ]]
	rm "$T/moody.alone"
	touch "$T/moody.broken"
	run -1 p swap --back analyze
	[[ $output == *"analyze.1 does not stay up: code 9"*"nothing has changed"* ]]
	still analyze.2
	rm "$T/moody.broken"
	run -0 p swap --back --watch 50ms analyze
	[[ $output == *"analyze.1 is in force"* ]]
	load_end
	exact "$(<"$T/sent")"
	still analyze.1
}

@test "promoting a shadow that fails, and killed on its way: it is a shadow as before, over a restart, too" {
	p swap --shadow --native --watch 50ms analyze -- "$T/moody"
	load_begin 500 8
	wait_until 20 accepted 200
	is_shadow() { [ "$(swaps .how)" = shadow ] && [ "$(swaps .trial)" = analyze.1 ] && service_is analyze.1 run; }
	touch "$T/moody.wait"
	run -1 p swap --promote --wait 1s analyze
	[[ $output == *"analyze.2 is not ready"*"is a shadow as before"*"nothing has changed"* ]]
	is_shadow
	daemon_run swap penstock -C "$D" swap --promote analyze
	wait_until 20 phase_is try
	wait_until 20 service_is "$(swaps .trial)" run
	kill -9 "$(service_pid route)"
	daemon_kill swap
	run -0 p swap --diff analyze
	[[ $output == *"killed on its way (try): taken back"*"is a shadow as before"* ]]
	is_shadow
	daemon_run swap penstock -C "$D" swap --promote analyze
	wait_until 20 phase_is try
	wait_until 20 service_is "$(swaps .trial)" run
	daemon_kill swap
	load_end
	tree_down
	tree_up
	is_shadow
	exact 4000
	run -0 p swap --diff analyze
	[[ $output == *" 100.00 % equal"* ]]
	rm "$T/moody.wait"
	run -0 p swap --promote --watch 50ms analyze
	still "$(in_force)"
	[ ! -e "$D/service/analyze.1" ]
	[ -z "$(find "$D/run/shadow" -type f)" ]
	p swap --back --watch 50ms analyze
	unchanged
}

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

@test "gatewayd is killed again and again: every message arrives once, in order, for everybody" {
	gw_tree --say-rate 0
	chat_js storm 120 &
	js=$!
	for at in 10 30 50 70 90; do
		wait_for "$T/progress" "^$at\$"
		daemon_kill gw
		gw_start --say-rate 0
	done
	wait "$js"
	[ "$(spooled | jq -r 'select(.type == "chat.message") | .data.text' | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "route is killed again and again: every message arrives once, in order, for everybody" {
	gw_tree --say-rate 0
	chat_js storm 120 &
	js=$!
	for at in 10 40 70; do
		wait_for "$T/progress" "^$at\$"
		daemon_kill route
		gw_hub
	done
	wait "$js"
}

@test "store is killed and late: nothing is missing" {
	gw_tree --say-rate 0
	chat_js storm 100 &
	js=$!
	wait_for "$T/progress" '^20$'
	daemon_kill store
	wait_for "$T/progress" '^40$'
	daemon_kill gw
	# What it missed it has yet to store when it is asked.
	gw_store
	gw_start --say-rate 0
	wait_for "$T/progress" '^60$'
	daemon_kill gw
	gw_start --say-rate 0
	wait "$js"
}

@test "the hub is away: refused with retry and told; taken when it is back" {
	gw_tree
	daemon_stop route
	chat_js away &
	js=$!
	wait_for "$T/refused" yes
	gw_hub
	wait "$js"
}

@test "told to stop, it says goodbye to its clients" {
	gw_tree
	chat_js goodbye &
	js=$!
	wait_for "$T/joined" yes
	daemon_stop gw
	wait "$js"
}

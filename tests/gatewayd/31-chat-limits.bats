bats_require_minimum_version 1.5.0
load ../lib/daemon
load gateway

@test "too many messages in a short time are refused with a time to wait" {
	gw_tree
	chat_js rate
}

@test "who does not read is disconnected, and resumes without loss" {
	gw_tree -v --slow-time 1s
	chat_js slow
	daemon_alive gw
}

@test "who does not answer pings, or never joins, is given up" {
	gw_tree --ping-time 1s
	chat_js silent
}

@test "as many clients as allowed" {
	gw_tree --max-connections 20
	chat_js crowd 20
}

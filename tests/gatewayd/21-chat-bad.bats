bats_require_minimum_version 1.5.0
load ../lib/daemon
load gateway

@test "frames that break the rules" {
	gw_tree
	chat_js violations
	daemon_alive gw
}

@test "messages in fragments" {
	gw_tree
	chat_js fragments
}

@test "bytes that are no WebSocket frames" {
	gw_tree
	chat_js raw
	daemon_alive gw
}

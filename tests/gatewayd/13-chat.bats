bats_require_minimum_version 1.5.0
load ../lib/daemon
load gateway

stored() { store -x -d "$T/history" 2>/dev/null | grep -q "\"text\":\"$1\""; }

@test "two in a room, one in another" {
	gw_tree
	chat_js two
}

@test "a room shows what its destination brings: posted messages, answers, emotions, and nothing else" {
	gw_tree
	chat_js shows
}

@test "history: the last lines, those after a number, all of them; then live, without repeats" {
	gw_tree --say-rate 0
	chat_js history
}

@test "a message for later is shown when it is due, with a number of its own; from the ring and from the history" {
	gw_tree --say-rate 0
	chat_js later
	wait_until 10 stored later
	daemon_stop gw
	gw_start --say-rate 0
	run chat_js last 3 later
	[ "$status" -eq 0 ]
}

@test "more than the ring holds comes from the history" {
	gw_tree --ring 16
	chat_js beyond
}

@test "after a restart of gatewayd the history is there" {
	gw_tree --say-rate 0
	chat_js history
	wait_until 10 stored live
	daemon_stop gw
	gw_start --history 2
	run chat_js last 2 live
	[ "$status" -eq 0 ]
}

@test "without store a room works: new messages are shown, and the client is told what it cannot have" {
	gw_hub
	gw_start
	chat_js nostore
}

@test "a message sent again is the same event" {
	gw_tree
	chat_js resend
}

@test "handshakes" {
	gw_tree --origin https://good.example
	chat_js handshakes
}

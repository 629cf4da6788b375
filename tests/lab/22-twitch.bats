bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "wrong deeds on a socket, wrong challenges, subscriptions that are refused" {
	lab_start
	cases eventsub wrong refused challenge
}

@test "limits of sockets and subscriptions, of points and of chat" {
	lab_start
	cases eventsub limits
	cases helix points plain_account dead_token
}

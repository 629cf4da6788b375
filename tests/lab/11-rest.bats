bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "messages said, replied to, changed, deleted, listed; a nonce makes one message" {
	lab_start
	cases rest messages nonce history
}

@test "interactions over the gateway: three seconds, one answer, follow-ups; over HTTP: signed, and only careful endpoints" {
	lab_start
	cases rest interactions endpoint
}

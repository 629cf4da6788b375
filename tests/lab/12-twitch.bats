bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "EventSub: a socket's life, keepalives, a reconnect with overlap" {
	lab_start
	cases eventsub life keepalive reconnect owed
}

@test "webhooks: challenge, signature, repeats, revocation; conduits: assign, hand over, lose" {
	lab_start
	cases eventsub webhook conduits conduit_hook
}

@test "Helix and OAuth: users, chat, subscriptions, tokens" {
	lab_start
	cases helix headers chat app_token subscriptions tokens consent
}

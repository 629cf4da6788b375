#!/usr/bin/env bats
# A bot on Twitch with an app token: webhooks and conduits.

setup() { load twitch; }

# Over webhooks, with the callback that gatewayd listens on.
hooked() {
	bot_start_later "$@"
	printf '%s\n' 'a-secret-of-this-test' >"$T/accounts/default/hook.secret"
	chmod 600 "$T/accounts/default/hook.secret"
	cp "$T"/lab/accounts/default/lab-twitch.* "$T/accounts/default/"
	bot_word webhook-secret-file hook.secret
	bot_word callback "$URL/hook/default/lab-twitch"
}

@test "webhooks: verified, and answered only when the hub has the event" {
	hooked -o twitch.webhook_answer_s=20
	bot_word transport webhook
	daemon_signal gw HUP
	lab_wait verified 2
	hear one
	heard 1 one
	status '[.status.subscriptions[].state] == ["enabled", "enabled"] and ([.connections[].state] == ["live"]) and .tokens.app.state == "ok"'
	line=$(events chat.message)
	[ "$(jq -r '[.source, .data.channel.id, .data.user.name, .partitionkey] | join(" ")' <<<"$line")" = "/twitch/default/lab-twitch 42 ada twitch:42" ]
	lab_wait webhook 1 status=204
	# The hub stands still: so does the answer.
	daemon_signal route STOP
	hear two
	lab_wait chat 2
	[ "$(lab_books webhook status=204 | wc -l)" = 1 ]
	daemon_signal route CONT
	heard 2 one two
	lab_wait webhook 2 status=204
	well_behaved
}

@test "webhooks: a wrong signature, an old one, the same again" {
	hooked -o twitch.webhook_tries=1
	bot_word transport webhook
	daemon_signal gw HUP
	lab_wait verified 2
	for spoil in '"spoil":"signature"' '"spoil":"missing"' '"timestamp":"2024-01-02T03:04:05Z"'; do
		lab twitch/webhook "{\"type\":\"channel.follow\",\"event\":{\"user_id\":\"8\"},$spoil}" >"$T/answer"
		jq -e '.status == 403' "$T/answer" >/dev/null
	done
	for _ in 1 2; do
		lab twitch/webhook '{"type":"channel.follow","event":{"user_id":"8","broadcaster_user_id":"42"},"message_id":"same"}' >"$T/answer"
		jq -e '.status == 204' "$T/answer" >/dev/null
	done
	[ "$(events channel.follow | jq -r .id)" = same ]
}

@test "a conduit over sockets: a lost shard is attached anew, its subscriptions need nothing" {
	bot_start_later
	cp "$T"/lab/accounts/default/lab-twitch.* "$T/accounts/default/"
	bot_word transport conduit
	bot_word conduit-shards 2
	daemon_signal gw HUP
	wait_events gateway.up 2
	lab_wait shard-assigned 2
	status '.status.conduit.shards == 2 and ([.status.subscriptions[].state] == ["enabled", "enabled"])'
	hear one
	heard 1 one
	fault 'now: close 4006 platform=twitch pick=1'
	lab_wait shard-assigned 3
	wait_events gateway.resumed 1
	hear two
	heard 2 one two
	[ "$(events gateway.gap)" = "" ]
	[ "$(lab_books subscribed | wc -l)" = 2 ]
	# Moved by Twitch: attached with the new socket before the old one goes.
	fault 'now: reconnect platform=twitch'
	lab_wait moved 2
	hear three
	heard 3 one two three
	[ "$(events gateway.gap)" = "" ]
	well_behaved
}

@test "a conduit over a webhook, with two processes: one makes it, any takes what comes, and it changes hands" {
	hooked
	bot_word transport conduit
	daemon_start other gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/other"
	daemon_signal gw HUP
	lab_wait subscribed 2
	wait_events gateway.up 1
	[ "$(lab_books conduit | wc -l)" = 1 ]
	# One of them holds it, the other one waits.
	one_each() {
		nngcat --req --dial "ipc://$T/run/other" --data '{"do":"accounts"}' --raw --recv-timeout 20 >"$T/other.status"
		nngcat --req --dial "ipc://$T/run/gw" --data '{"do":"accounts"}' --raw --recv-timeout 20 >"$T/gw.status"
		[ "$(jq -r '.accounts[0].connections[0].state' "$T/gw.status" "$T/other.status" | sort | tr '\n' ' ')" = "live standby " ]
	}
	wait_until 20 one_each
	holder=gw
	[ "$(jq -r '.accounts[0].connections[0].state' "$T/gw.status")" = live ] || holder=other
	hear one
	heard 1 one
	nngcat --req --dial "ipc://$T/run/$holder" --data '{"do":"drain"}' --raw --recv-timeout 20 >"$T/drained"
	wait_events gateway.resumed 1
	# The callback goes to the first one still.
	hear two
	heard 2 one two
	# Not the first time, when the other process had attached before this one knew of the account.
	[ "$(lab_books verified status=enabled | wc -l)" = 1 ]
	[ "$(lab_books subscribed | wc -l)" = 2 ]
	[ "$(events gateway.gap)" = "" ]
	daemon_stop other
	well_behaved
}

@test "from webhooks to a conduit with the same callback: what went to it before is deleted, and nothing comes twice" {
	hooked
	bot_word transport webhook
	daemon_signal gw HUP
	lab_wait verified 2
	wait_events gateway.up 1
	hear one
	heard 1 one
	bot_word transport conduit
	daemon_signal gw HUP
	lab_wait unsubscribed 2
	lab_wait subscribed 4
	wait_events gateway.gap 1
	hear two
	heard 2 one two
	[ "$(events gateway.gap | jq -r .data.reason)" = "the webhooks were given up for a conduit" ]
	# Not looked for again.
	wait_until 20 grep -q ' - listed=' "$T/state/default/lab-twitch/conn-0.state"
	well_behaved
}

debt() { set -- "$T"/state/default/lab-twitch/conn-0-*.debt; [ -e "$1" ]; }
debt_is_old() { [ -n "$(find "$T"/state/default/lab-twitch/*.debt -not -newermt '-4 seconds')" ]; }
# A conduit's shard is with gw, and other waits for it.
two_processes() { # [ARGS of the other]
	bot_start_later
	cp "$T"/lab/accounts/default/lab-twitch.* "$T/accounts/default/"
	bot_word transport conduit
	daemon_signal gw HUP
	wait_events gateway.up 1
	daemon_start other gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/other" "$@"
	wait_for "$T/other.err" 'another process holds it'
}
# Until the connection is the other one's; the socket lingers.
hand_over() { # NAME TO
	nngcat --req --dial "ipc://$T/run/$1" --data '{"do":"drain"}' --raw --recv-timeout 20 >"$T/drained"
	wait_until 20 grep -q "pid $(daemon_pid "$2")" "$T/state/default/lab-twitch/leases"
}
left() { [ "$(events gateway.gap | jq -r .data.reason | grep -c 'the process that handed the connection over ended before the hub had all that it still read')" = "$1" ]; }

@test "a shard is handed to another process: attached there before this one lets go, nothing is missing" {
	two_processes
	lab flood '{"n":300,"rate":200,"channels":["twitch:lab"],"wait":false}' >/dev/null
	wait_events chat.message 20
	nngcat --req --dial "ipc://$T/run/gw" --data '{"do":"drain"}' --raw --recv-timeout 20 >"$T/drained"
	lab_wait shard-assigned 2
	wait_events chat.message 300
	[ "$(events chat.message | jq -r .data.message_id | sort -u | wc -l)" = 300 ]
	[ "$(events gateway.resumed | wc -l)" = 1 ]
	[ "$(events gateway.gap)" = "" ]
	# What the first one still read is with the hub.
	wait_until 20 not debt
	daemon_stop gw
	hear last
	wait_events chat.message 301
	daemon_stop other
	well_behaved
}

@test "a shard is handed over by a process that ends before the other one is sure to be attached: that is a gap" {
	bot_start_later
	cp "$T"/lab/accounts/default/lab-twitch.* "$T/accounts/default/"
	bot_word transport conduit
	daemon_stop gw
	bot_gw --drain-time 2s
	wait_events gateway.up 1
	daemon_start other gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/other"
	wait_for "$T/other.err" 'another process holds it'
	daemon_stop gw
	wait_events gateway.up 2
	[ "$(events gateway.resumed)" = "" ]
	[ "$(events gateway.gap | wc -l)" = 1 ]
	hear last
	wait_events chat.message 1
	daemon_stop other
	well_behaved
}

@test "a shard was handed over, and the process that still reads its socket is killed, or stopped too soon: whoever has it tells the gap" {
	two_processes --drain-time 1s
	hand_over gw other
	# Whatever it had would stay with it.
	daemon_signal gw STOP
	lab_wait shard-assigned 2
	debt
	daemon_kill gw
	wait_until 20 left 1
	wait_until 20 not debt
	bot_gw
	wait_for "$T/gw.err" 'another process holds it'
	hand_over other gw
	daemon_stop other
	wait_until 20 left 2
	wait_until 20 not debt
	events gateway.gap | jq -e '.data.from < .data.to'
	hear last
	wait_events chat.message 1
	well_behaved
}

@test "a shard was handed over, and the process that still reads its socket stands still for long: it reads all of it then" {
	two_processes
	hand_over gw other
	daemon_signal gw STOP
	daemon_signal other STOP
	lab flood '{"n":300,"rate":3000,"channels":["twitch:lab"],"wait":false}' >/dev/null
	lab_wait chat 300
	daemon_signal other CONT
	wait_until 20 debt_is_old
	daemon_signal gw CONT
	wait_events chat.message 300
	wait_until 20 not debt
	[ "$(events chat.message | jq -r .data.message_id | sort -u | wc -l)" = 300 ]
	left 0
	daemon_stop other
	well_behaved
}

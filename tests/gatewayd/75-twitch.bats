#!/usr/bin/env bats
# A bot on Twitch over a WebSocket: chat, the move to another socket, what is lost with a socket, revocation.

setup() { load twitch; }

@test "chat and more become lines; nothing that Twitch would mind" {
	bot_start
	hear "hello"
	lab twitch/event '{"type":"channel.follow","channel":"lab","event":{"user_id":"8","user_login":"bob","user_name":"Bob"}}' >/dev/null
	heard 1 hello
	wait_events channel.follow 1
	line=$(events chat.message)
	[ "$(jq -r '[.source, .tenant, .partitionkey, .data.platform, .data.account, .data.channel.id, .data.channel.name, .data.user.id, .data.user.name] | join(" ")' \
		<<<"$line")" = "/twitch/default/lab-twitch default twitch:42 twitch lab-twitch 42 lab 7 ada" ]
	[ "$(jq -r '.id == "m-" + .data.message_id and .data.message_id == $id' --arg id "$(lab_books chat | jq -r .id)" <<<"$line")" = true ]
	status '.connections[0].state == "live" and .tokens.user.state == "ok" and .tokens.user.user_id == "99" and
		([.status.subscriptions[].state] == ["enabled", "enabled"])'
	# The ten-second rule was kept, the token looked at, and nothing sent on the socket.
	lab_wait validate 1
	[ "$(lab_books unsubscribed)" = "" ]
	well_behaved
}

@test "a move: no gap, nothing twice, though people go on talking" {
	bot_start
	lab flood '{"n":200,"rate":400,"channels":["twitch:lab"],"wait":false}' >/dev/null
	wait_events chat.message 20
	fault 'now: reconnect platform=twitch'
	lab_wait moved 1
	wait_events chat.message 200
	[ "$(events chat.message | jq -r .data.message_id | sort -u | wc -l)" = 200 ]
	[ "$(lab_books chat | jq -r .id | sort | sha1sum)" = "$(events chat.message | jq -r .data.message_id | sort | sha1sum)" ]
	[ "$(events gateway.gap)" = "" ]
	[ "$(events gateway.down)" = "" ]
	well_behaved
}

@test "a move: what the old socket still brings when the new one is there is not lost" {
	bot_start
	# A message takes it a while; the new one is faster.
	fault 'now: split 99 pause=10 platform=twitch'
	fault 'now: reconnect platform=twitch'
	for i in 1 2 3; do hear "slow $i"; done
	lab_wait moved 1
	wait_events chat.message 3
	[ "$(events chat.message | jq -r .data.text | sort | paste -sd,)" = "slow 1,slow 2,slow 3" ]
	[ "$(events gateway.gap)" = "" ]
	well_behaved
}

@test "a socket is lost, in several ways: told as a gap with its range, and everything is subscribed to again" {
	bot_start
	n=1
	for how in 'close 4005' 'reset' 'close 4000'; do
		hear "before $n"
		wait_events chat.message "$((2 * n - 1))"
		fault "now: $how platform=twitch"
		n=$((n + 1))
		wait_events gateway.up "$n"
		hear "after $n"
		wait_events chat.message "$((2 * n - 2))"
	done
	[ "$(events gateway.down | jq -r .data.code)" = $'4005\nnull\n4000' ]
	[ "$(events gateway.gap | jq -r '.data.from < .data.to')" = $'true\ntrue\ntrue' ]
	# The gap begins with the last message that came.
	[ "$(events gateway.gap | head -n 1 | jq -r '.data.from[:23]')" = "$(events chat.message | head -n 1 | jq -r '.time[:23]')" ]
	[ "$(lab_books subscribed | wc -l)" = 8 ]
	well_behaved
}

@test "a zombie: the socket stays open and says nothing; noticed within one and a half keepalives" {
	bot_start -o twitch.keepalive_s=2
	fault 'now: halfopen platform=twitch'
	wait_events gateway.up 2
	[ "$(events gateway.down | jq -r .data.reason)" = "no keepalive and no notification" ]
	[ "$(events gateway.gap | wc -l)" = 1 ]
	# From the last sign of life, at most one keepalive before the fault, to the new socket.
	lab_books halfopen,welcome | jq -s -e '.[-1].at - .[-2].at < 4.5' >/dev/null
	well_behaved
}

@test "what Twitch takes back is told and not asked for again; what the file no longer wants is deleted" {
	bot_start
	lab twitch/revoke '{"type":"channel.chat.message","status":"authorization_revoked"}' >/dev/null
	wait_events platform.event 1
	[ "$(events platform.event | jq -r '[.data.name, .data.raw.type, .data.raw.status] | join(" ")')" = "revocation channel.chat.message authorization_revoked" ]
	status '[.status.subscriptions[] | select(.type == "channel.chat.message")][0] | .state == "refused" and .said == "authorization_revoked"'
	printf '%s\n' 'stream.online broadcaster_user_id=42' >"$T/accounts/default/lab-twitch.subs"
	daemon_signal gw HUP
	lab_wait unsubscribed 1
	status '[.status.subscriptions[] | .type + " " + .state] == ["stream.online enabled"]'
	lab twitch/event '{"type":"stream.online","channel":"lab"}' >/dev/null
	wait_events stream.online 1
	[ "$(events gateway.down)" = "" ]
	well_behaved
}

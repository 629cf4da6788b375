#!/usr/bin/env bats
# kill -9, hand-over, crash loops: nothing lost, nothing twice, no identify too many.

setup() { load discord; }

# A steady stream of so many messages: the lab says them while the test goes on.
stream() { # COUNT RATE
	lab flood "{\"n\":$1,\"rate\":$2,\"channels\":[\"general\",\"bots\"],\"wait\":false}" >/dev/null
}

told() { lab chat | jq -r '.entries[] | select(.kind == "chat") | .text' | sort; }
stored_all() { [ "$(told | sort -u | wc -l)" -ge "$1" ] && [ "$(texts | sort -u | wc -l)" -ge "$1" ]; }

@test "kill -9 in the middle of a stream, three times: resumed, each message once" {
	bot_start
	stream 300 150
	for at in 60 130 200; do
		wait_events chat.message "$at"
		daemon_kill gw
		bot_gw
	done
	wait_until 30 stored_all 300
	[ "$(texts | sort | uniq -d)" = "" ]
	[ "$(texts | wc -l)" = 300 ]
	[ "$(events gateway.gap | wc -l)" = 0 ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	# The ledger has them all: one that began a session, three that went on with it.
	[ "$(grep -E '^(identify|connect) ' "$T"/state/_ledgers/discord-* | cut -d ' ' -f 1 | tr '\n' ' ')" = "identify connect connect connect " ]
	well_behaved
}

@test "kill -9 and a session that is gone: the gap is told, and what was said is read from the history, in channels where nothing was heard, too" {
	bot_start -o discord.session_life_s=0.1
	for c in quiet hidden; do lab discord/channel "{\"name\":\"$c\"}" >"$T/$c"; done
	say "before"
	wait_events chat.message 1
	daemon_kill gw
	lab_wait session-end 1
	say "general {n}" 120
	say "quiet {n}" 3 quiet
	say "hidden" 1 hidden
	hidden=$(jq -r .id "$T/hidden")
	lab discord/channel "{\"id\":\"$hidden\",\"deny\":50001}" >/dev/null
	bot_gw
	filled() { events gateway.gap | jq -r .data.reason | grep -q 'channels read again from the history'; }
	wait_until 20 filled || { events gateway.gap >&2; return 1; }
	say "after"
	wait_events chat.message 125
	[ "$(texts | sort | uniq -d)" = "" ]
	[ "$(events chat.message | jq -r 'select(.data.replayed) | .data.text')" = "$(printf 'general %d\n' {1..120}; printf 'quiet %d\n' {1..3})" ]
	events gateway.gap | jq -r .data.reason >"$T/reasons"
	[ "$(wc -l <"$T/reasons")" = 2 ]
	grep -Eq "^the session was lost: 12[34] messages of 2 channels read again from the history, not all; channel $hidden after [0-9]+: no access to its history\$" "$T/reasons" || { cat "$T/reasons" >&2; return 1; }
	events gateway.gap | jq -e '.data.from != "" and .data.to != ""' >/dev/null
	# Nobody asked about the channel where nothing was said.
	[ "$(lab_books history | jq -r .channel | sort -u | wc -l)" = 2 ]
	[ "$(lab_books identify | wc -l)" = 2 ]
	well_behaved
}

@test "the hub is away: Discord is not read for so long, its heartbeats are no zombie's" {
	bot_start -o discord.heartbeat_interval_ms=1000
	say "before"
	wait_events chat.message 1
	daemon_kill route
	say "meanwhile {n}" 200
	lab_wait heartbeat 3
	gw_hub
	wait_events chat.message 201
	[ "$(texts | sort | uniq -d)" = "" ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	well_behaved
}

@test "a clean stop leaves the session alive; the next start resumes it" {
	bot_start
	say "one"
	wait_events chat.message 1
	daemon_stop gw
	say "two"
	bot_gw
	wait_events gateway.resumed 1
	say "three"
	wait_events chat.message 3
	[ "$(texts)" = $'one\ntwo\nthree' ]
	# A session that is resumed does not tell names again: they are asked for, and soon known.
	named() { say "more" && [ "$(events chat.message | tail -n 1 | jq -r .data.channel.name)" = general ]; }
	wait_until 20 named
	[ "$(lab_books closed | jq -c 'select(.code == 1000 or .code == 1001)')" = "" ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	well_behaved
}

@test "a crash loop that forgets its sessions does not spend more identifies than there are" {
	bot_start -o discord.identify_total=2
	daemon_kill gw
	rm -f "$T"/state/default/lab-discord/conn-0.state
	bot_gw
	wait_events gateway.up 2
	daemon_kill gw
	rm -f "$T"/state/default/lab-discord/conn-0.state
	bot_gw
	wait_for "$T/gw.err" 'the identifies are spent'
	daemon_kill gw
	bot_gw
	wait_for "$T/gw.err" 'the identifies are spent'
	[ "$(lab_books identify-sent | wc -l)" = 2 ]
	well_behaved
}

@test "fewer shards: what one that is no more had is told and read, though the one that is left knows nothing" {
	SHARDS=2 bot_start -o discord.shards=2 -o discord.max_concurrency=2
	channels 2
	say "one" 1 c1
	wait_events chat.message 1
	wait_until 20 grep -q '"after":"[1-9]' "$T/state/default/lab-discord/conn-1.state"
	daemon_kill gw
	rm -f "$T"/state/default/lab-discord/conn-0.state
	say "two" 1 c1
	echo "shards = 1" >>"$T/accounts/default/lab-discord.conf"
	bot_gw
	wait_events chat.message 2
	[ "$(texts)" = $'one\ntwo' ]
	events gateway.gap | jq -e 'select(.data.reason | startswith("the number of shards changed")) | .data.from != "" and .data.connection == "discord:lab-discord/0"' >/dev/null
	well_behaved
}

@test "drain: another instance resumes, while messages come" {
	bot_start
	daemon_start two gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/two"
	wait_for "$T/two.err" 'another process holds it'
	stream 300 150
	wait_events chat.message 60
	daemon_stop gw
	wait_until 30 stored_all 300
	[ "$(texts | sort | uniq -d)" = "" ]
	[ "$(texts | wc -l)" = 300 ]
	[ "$(events gateway.gap | wc -l)" = 0 ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	well_behaved
}

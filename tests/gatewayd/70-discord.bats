#!/usr/bin/env bats
# A bot on Discord: what is said and done there becomes lines.

setup() { load discord; }

@test "messages, edits, deletions, with names; nothing that Discord would mind" {
	bot_start
	say "hello {n}" 3
	wait_events chat.message 3
	[ "$(texts)" = $'hello 1\nhello 2\nhello 3' ] || [ "$(texts)" = $'hello 0\nhello 1\nhello 2' ]
	line=$(events chat.message | head -n 1)
	[ "$(jq -r '[.source, .tenant, .data.platform, .data.account, .data.channel.name, .data.user.name] | join(" ")' <<<"$line")" = \
		"/discord/default/lab-discord default discord lab-discord general ada" ]
	[ "$(jq -r '.id == "m-" + .data.message_id and .subject == .data.channel.id and .partitionkey == "discord:" + .subject' <<<"$line")" = true ]
	id=$(jq -r .data.message_id <<<"$line")
	lab discord/edit "{\"channel\":\"general\",\"id\":\"$id\",\"text\":\"changed\"}" >/dev/null
	wait_events chat.edit 1
	[ "$(events chat.edit | jq -r '.data.message_id + " " + .data.text')" = "$id changed" ]
	lab discord/delete "{\"channel\":\"general\",\"id\":\"$id\"}" >/dev/null
	wait_events chat.delete 1
	[ "$(events chat.delete | jq -r .data.message_id)" = "$id" ]
	well_behaved
}

@test "the same lines without compression" {
	BOT="compress = none" bot_start
	say "plain"
	wait_events chat.message 1
	[ "$(texts)" = plain ]
	[ "$(lab_books connect | jq -r .query)" = "v=10&encoding=json" ]
	well_behaved
}

@test "zstd-stream: the same lines, also in the stream of a resumed connection" {
	BOT="compress = zstd" bot_start
	say "before"
	wait_events chat.message 1
	fault "now: reset"
	say "after"
	wait_events chat.message 2
	[ "$(texts)" = $'before\nafter' ]
	[ "$(lab_books connect | jq -r .query | sort -u)" = "v=10&encoding=json&compress=zstd-stream" ]
	[ "$(lab_books identify | wc -l)" = 1 ]
	well_behaved
}

@test "a command over the gateway, and over HTTP with a signature" {
	bot_start
	lab discord/interaction '{"channel":"general","user":"ada","name":"roll","options":[{"name":"dice","type":4,"value":3}]}' >/dev/null
	wait_events command.invoked 1
	[ "$(events command.invoked | jq -c '[.data.command, .data.args, .data.user.name, .data.interaction.type]')" = '["roll",{"dice":3},"ada",2]' ]
	# As Discord's portal does: a PING has to be answered, and a wrong signature refused.
	lab discord/endpoint "{\"url\":\"$URL/hook/default/lab-discord\"}" >"$T/endpoint"
	lab discord/interaction '{"channel":"general","user":"bob","name":"again"}' >"$T/answer"
	wait_events command.invoked 2
	[ "$(events command.invoked | tail -n 1 | jq -c '[.data.command, .data.user.name]')" = '["again","bob"]' ]
	grep -q 202 "$T/answer"
	lab discord/post '{"body":{"type":1},"spoil":"signature"}' >"$T/spoilt"
	grep -q 401 "$T/spoilt"
	lab discord/post '{"body":{"type":1},"timestamp":"1600000000"}' >"$T/old"
	grep -q 401 "$T/old"
	well_behaved
	# A hub that is away: Discord is told in time that it is for nothing.
	daemon_kill route
	lab discord/post '{"body":{"id":"7","type":2,"application_id":"8","token":"t","data":{"name":"n"},"channel_id":"5","user":{"id":"41","username":"ada"}}}' >"$T/away"
	grep -q 503 "$T/away"
	gw_hub
}

@test "shards: each guild's messages once" {
	SHARDS=4 bot_start -o discord.shards=4 -o discord.max_concurrency=4
	channels 4
	for i in 0 1 2 3; do
		say "in $i" 1 "c$i"
	done
	wait_events chat.message 4
	[ "$(texts | sort)" = $'in 0\nin 1\nin 2\nin 3' ]
	[ "$(lab_books identify | jq -c .shard | sort)" = $'[0,4]\n[1,4]\n[2,4]\n[3,4]' ]
	well_behaved
}

#!/usr/bin/env bats
# The same words of the same person in a channel of the same name, from every source there is: the lines differ in nothing but what is a
# platform's own: ids, numbers, times, and the account that heard it.

setup() {
	load ../lab/lab
	load irc
}

lab_post() { curl -sSf -m 20 -o "$T/lab.answer" -d "$2" "$LAB/lab/$1"; }

# What is left of a line when everything is gone that has to differ; all of that has to be there, and fits the type's schema.
common() { jq -cS 'del(.id, .source, .subject, .partitionkey, .time, .traceparent, .data.platform, .data.account, .data.channel.id, .data.user.id,
	.data.message_id, .data.raw)'; }

@test "one chat.message from Twitch by WebSocket, Twitch by webhook, Discord, IRC and the browser" {
	local source
	lab_start -q
	inspircd_start
	mkdir -p "$T/accounts/default"
	cp "$T"/lab/accounts/default/lab-* "$T/accounts/default/"
	irc_account "server = irc://127.0.0.1:$IRC" 'channels = "#lab"'
	printf '%s\n' 'all -> browser' >"$T/rules"
	gw_hub
	irc_gw -b "ipc://$T/run/to-browser"
	# The same bot by webhook is another account, with a callback here.
	sed "/^ *transport *=/d" "$T/accounts/default/lab-twitch.conf" >"$T/accounts/default/lab-webhook.conf"
	printf 'webhook-secret-0123456789' >"$T/accounts/default/webhook.secret"
	chmod 600 "$T/accounts/default/webhook.secret"
	printf '%s\n' 'transport = webhook' "callback = $URL/hook/default/lab-webhook" 'webhook-secret-file = webhook.secret' >>"$T/accounts/default/lab-webhook.conf"
	daemon_signal gw HUP
	wait_events gateway.up 4
	lab_post discord/channel '{"guild":"lab","name":"lab"}'
	irc_person ada "JOIN #lab"
	wait_until 20 eval 'curl -s "$LAB/lab/twitch/subscriptions" | jq -e "[.. | objects | select(.status? == \"enabled\" and .type? == \"channel.chat.message\")] | length == 2"'
	lab_post say '{"channel":"twitch:lab","user":"ada","text":"what a day! ☕ \"quoted\" \\ done"}'
	lab_post say '{"channel":"discord:lab","user":"ada","text":"what a day! ☕ \"quoted\" \\ done"}'
	irc_says ada 'PRIVMSG #lab :what a day! ☕ "quoted" \ done'
	chat_js says lab ada 'what a day! ☕ "quoted" \ done'
	wait_events chat.message 5
	events chat.message >"$T/lines"
	[ "$(jq -r .source "$T/lines" | sort | xargs)" = \
		"/browser/lab /discord/default/lab-discord /irc/default/irc /twitch/default/lab-twitch /twitch/default/lab-webhook" ]
	[ "$(schema <"$T/lines")" = "chat.message 5" ]
	common <"$T/lines" >"$T/common"
	[ "$(sort -u "$T/common" | wc -l)" = 1 ] || { cat "$T/common" >&2; return 1; }
	jq -se 'all(.time and .partitionkey and .data.channel.id and .data.user.id and .data.platform and
		(.traceparent | test("^00-[0-9a-f]{32}-[0-9a-f]{16}-03$")))' "$T/lines" >/dev/null
}

#!/usr/bin/env bats
# gatewayd on real IRC servers: Debian's InspIRCd over TLS, ngIRCd without any of IRCv3.

setup() { load irc; }

@test "InspIRCd over TLS: messages, people; what is said is confirmed by its echo; thrown out, back, and a gap" {
	inspircd_start
	irc_person ada "JOIN #lobby"
	irc_account "server = ircs://127.0.0.1:$IRCS" "ca = $T/irc.pem" 'channels = "#dev"'
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	wait_for "$T/ada.irc" ':pen!.* JOIN'
	irc_says ada $'PRIVMSG #lobby :what a day! ☕\nPRIVMSG #lobby :\001ACTION waves\001\nPRIVMSG pen :psst\nJOIN #dev'
	wait_events chat.message 3
	line=$(events chat.message | head -n 1)
	[ "$(jq -r '[.source, .tenant, .subject, .partitionkey, .data.platform, .data.account, .data.channel.name, .data.user.name, .data.text] | join(" ")' <<<"$line")" = \
		"/irc/default/irc default #lobby irc:#lobby irc irc lobby ada what a day! ☕" ]
	jq -e '.id == "m-" + .data.message_id and (.time | endswith("Z"))' <<<"$line" >/dev/null
	[ "$(events chat.message | jq -r 'select(.data.action) | .data.text')" = waves ]
	[ "$(events chat.message | jq -r 'select(.subject == "ada") | .data.text')" = psst ]
	wait_events member.join 1 '.data.user.name == "ada"'
	# A text of two lines, answered: an answer to a message that the server numbered.
	say_on "#lobby" $'hello ada\nand good bye'
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :hello ada'
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :and good bye'
	wait_events message.sent 1
	[ "$(events message.sent | jq -r .causationid)" = say-1 ]
	wait_events chat.message 1 '.data.self and .data.text == "hello ada"'
	[ "$(events message.sent | jq -r .data.message_id)" = "$(events chat.message '.data.text == "hello ada"' | jq -r .data.message_id)" ]
	say_on nobody "is anybody there?"
	wait_events message.failed 1
	events message.failed | grep -q "No such nick"
	irc_says ada "KICK #lobby pen :out"
	wait_events gateway.gap 1 '(.data.to // "") == ""'
	wait_events gateway.gap 1 '(.data.to // "") != "" and (.data.reason | test("was not in #lobby: kicked: out"))'
	irc_says ada "PRIVMSG #lobby :welcome back"
	wait_events chat.message 1 '.data.text == "welcome back"'
	irc_says ada "QUIT :bye"
	wait_events member.leave 2 '.data.user.name == "ada"'
	[ "$(events member.leave '.data.user.name == "ada" and .subject == "#dev"' | jq -r '.data.user.name + " " + .data.reason')" = "ada bye" ]
}

@test "ngIRCd: a password, no echo: said when a PONG came behind it; refused where it does not let us in" {
	ngircd_start
	printf letmein >"$T/pass"
	chmod 600 "$T/pass"
	irc_person op $'JOIN #closed\nMODE #closed +i\nJOIN #quiet\nMODE #quiet +m'
	wait_for "$T/op.irc" 'MODE #quiet \+m'
	irc_account "server = irc://127.0.0.1:$IRC" "password-file = $T/pass" 'channels = "#closed #quiet"'
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	irc_person ada "JOIN #lobby" "PRIVMSG #LOBBY :hello"
	wait_events chat.message 1
	[ "$(events chat.message | jq -r '.subject + " " + .data.text')" = "#lobby hello" ]
	say_on "#lobby" "hello ada"
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :hello ada'
	wait_events message.sent 1
	say_on "#quiet" "may I?"
	wait_events message.failed 1
	events message.failed | grep -q "Cannot send to channel"
	say_on "#closed" "may I?"
	wait_events message.failed 2
	irc_status | jq -e '.. | objects | select(.name? == "#closed") | .state == "refused" and (.error | test("Cannot join"))' >/dev/null
}

@test "the server dies: down, up again, and a gap with its two ends; what is said meanwhile waits" {
	ngircd_start
	printf letmein >"$T/pass"
	chmod 600 "$T/pass"
	irc_account "server = irc://127.0.0.1:$IRC" "password-file = $T/pass"
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	daemon_kill irc
	ngircd_start
	wait_events gateway.down 1
	say_on "#lobby" "still here"
	wait_events gateway.up 2
	wait_events gateway.gap 1 '.data.from < .data.to'
	[ "$(events gateway.gap | wc -l)" = 1 ]
	wait_events message.sent 1
}

@test "kill -9 of gatewayd: the next one tells the gap" {
	inspircd_start
	irc_account "server = irc://127.0.0.1:$IRC"
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	irc_person ada "JOIN #lobby" "PRIVMSG #lobby :one"
	wait_events chat.message 1
	daemon_kill gw
	irc_says ada "PRIVMSG #lobby :nobody hears this"
	irc_gw
	wait_events gateway.up 2
	wait_events gateway.gap 1 '.data.from < .data.to'
	irc_says ada "PRIVMSG #lobby :two"
	wait_events chat.message 2
	[ "$(events chat.message | jq -r .data.text)" = $'one\ntwo' ]
}

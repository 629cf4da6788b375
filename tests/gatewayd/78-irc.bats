#!/usr/bin/env bats
# gatewayd on real IRC servers: Debian's InspIRCd over TLS, ngIRCd without any of IRCv3.

setup() { load irc; }

@test "InspIRCd over TLS: messages, people; what is said is confirmed by its echo; thrown out, back, and a gap" {
	inspircd_start
	irc_person ada "JOIN #lobby"
	wait_for "$T/ada.irc" ' 366 '
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
	[ "$(events message.failed | jq -r '.data | .cause + ": " + .error')" = "refused: No such nick" ]
	# Two answers to one message: that she is away, and its echo.
	irc_says ada "AWAY :gone"
	say_on ada "when you are back"
	wait_events message.sent 2
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG ada :when you are back'
	irc_says ada "KICK #lobby pen :out"
	wait_events gateway.gap 1 '(.data.to // "") == ""'
	wait_events gateway.gap 1 '(.data.to // "") != "" and (.data.reason | test("was not in #lobby: kicked: out"))'
	irc_says ada "PRIVMSG #lobby :welcome back"
	wait_events chat.message 1 '.data.text == "welcome back"'
	irc_says ada "QUIT :bye"
	wait_events member.leave 2 '.data.user.name == "ada"'
	[ "$(events member.leave '.data.user.name == "ada" and .subject == "#dev"' | jq -r '.data.user.name + " " + .data.reason')" = "ada bye" ]
}

@test "a network with services: logged in by SASL; the nick is in use, a channel is closed to us; a wrong password is tried three times" {
	services_start
	# The nick is somebody's, and so is its name on the network: the account's.
	irc_person pen $'PRIVMSG NickServ :REGISTER secret1 pen@irc.test\nJOIN #banned\nMODE #banned +b *!*@*'
	wait_for "$T/pen.irc" ":NickServ.* NOTICE pen :.*registered"
	wait_for "$T/pen.irc" "MODE #banned \+b"
	printf secret1 >"$T/pass"
	chmod 600 "$T/pass"
	irc_account "server = irc://127.0.0.1:$IRC" "password-file = $T/pass" 'sasl = plain' 'channels = "#lobby #banned"'
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	irc_status | jq -e '.. | objects | select(.nick? == "pen_") | .channels[] | select(.name == "#banned") |
		.state == "refused" and (.error | test("banned"))' >/dev/null
	# Who is logged in is known by the account, whatever the nick.
	irc_says pen $'JOIN #lobby\nPRIVMSG #lobby :it is me'
	say_on "#lobby" "hello me"
	wait_events message.sent 1
	wait_events chat.message 2
	[ "$(events chat.message | jq -r '.data.user.id + " " + .data.user.name' | sort -u | xargs)" = "account:pen pen account:pen pen_" ]
	printf wrong >"$T/pass"
	daemon_signal gw HUP
	wait_for "$T/gw.err" "stopped; .*SASL: .*failed"
	[ "$(grep -c "SASL: " "$T/gw.err")" = 3 ]
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
	# A person is answered by the bot of the tree.
	mkdir "$T/replies"
	cp "$ROOT/share/replies.conf" "$T/replies/default.conf"
	daemon_start respond respond -i "ipc://$T/run/to-respond" -o "ipc://$T/run/in" -r "$T/replies"
	irc_says ada "PRIVMSG #lobby :!ping"
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :pong'
	say_on "#quiet" "may I?"
	wait_events message.failed 1
	[ "$(events message.failed | jq -r .data.cause)" = refused ]
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

_begun() { [ "$(grep -c ^begun "$1")" = "$2" ]; }

@test "kill -9 between saying and telling: what was said is told, what perhaps was is not said again; the next one tells the gap" {
	inspircd_start
	irc_account "server = irc://127.0.0.1:$IRC"
	irc_rules
	gw_hub
	irc_person ada "JOIN #lobby"
	# A hub that gives messages away and keeps no outcome.
	local said=$T/state/default/irc/said
	daemon_start edge gatewayd -p 0 -o "ipc://$T/run/in"
	wait_for "$T/edge.err" 'listening on http'
	URL=$(sed -nE 's/.*listening on (http[^ "]*)\/.*/\1/p' "$T/edge.err")
	daemon_run gw gatewayd -p 0 -o "ipc://$T/run/nobody" -w "ipc://$T/run/to-say" -a "$T/accounts" -s "$T/state"
	wait_for "$T/ada.irc" ':pen!.* JOIN'
	say_on "#lobby" "once"
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :once'
	wait_for "$said" "^said "
	daemon_kill gw
	# As after years, and torn.
	{ seq 5000 | awk '{ printf "said %032x old\n", $1 }'; cat "$said"; printf 'begun 01'; } >"$T/old"
	cp "$T/old" "$said"
	irc_gw
	wait_events message.sent 1
	[ "$(events message.sent | jq -r '.causationid, .data.message_id')" = "say-1"$'\n'"$(sed -n 's/^said [0-9a-f]* //p' "$said" | tail -n 1)" ]
	daemon_signal irc STOP
	say_on "#lobby" "perhaps"
	# One that went out now, in a file written anew; the two before it, one of them torn, are told or nothing.
	wait_until 20 _begun "$said" 1
	[ "$(wc -l <"$said")" -le 1024 ]
	daemon_kill gw
	daemon_signal irc CONT
	irc_says ada $'PRIVMSG #lobby :nobody hears this\nPING :said'
	wait_for "$T/ada.irc" 'PONG .*said'
	irc_gw
	wait_events gateway.gap 2 '.data.from < .data.to'
	wait_events message.failed 1
	[ "$(events message.failed | jq -r '.causationid + " " + .data.cause')" = "say-2 unknown" ]
	[ "$(stat -c %a "$said")" = 600 ]
	# And what nobody began is said; what she says is heard.
	irc_says ada "PRIVMSG #lobby :two"
	wait_events chat.message 1 '.data.text == "two"'
	not grep -q "nobody hears this" <<<"$(events chat.message)"
	say_on "#lobby" "after"
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :after'
	[ "$(grep -c 'PRIVMSG #lobby :once' "$T/ada.irc")" = 1 ]
	[ "$(grep -c 'PRIVMSG #lobby :perhaps' "$T/ada.irc")" -le 1 ]
	wait_events message.sent 2
	# Where nothing can be written down nothing is said, until it can.
	mv "$said" "$T/kept"
	mkdir "$said"
	say_on "#lobby" "at last"
	wait_for "$T/gw.err" "what was said cannot be read"
	not grep -q "at last" "$T/ada.irc"
	rmdir "$said"
	wait_for "$T/ada.irc" ':pen!.* PRIVMSG #lobby :at last'
}

@test "Twitch's IRC: badges, numbers, replies; said when USERSTATE follows; its limits kept; a bad token is not tried again" {
	twitch="$T/twitch"
	daemon_start twitch "$BATS_TEST_DIRNAME/twitch_irc.py" "$twitch"
	printf oauth:good >"$T/pass"
	chmod 600 "$T/pass"
	mkdir -p "$T/accounts/default"
	printf '%s\n' 'platform = irc' 'dialect = twitch' "server = irc://127.0.0.1:$(<"$twitch/port")" 'nick = penbot' "password-file = $T/pass" \
		'channels = "#ada"' >"$T/accounts/default/irc.conf"
	irc_rules
	gw_hub
	irc_gw
	wait_events gateway.up 1
	echo "chat what a day!" >"$twitch/say"
	wait_events chat.message 1
	[ "$(events chat.message | jq -c '[.subject, .data.channel.name, .data.user.id, .data.user.name, .data.user.roles, .id == "m-" + .data.message_id]')" = \
		'["42","ada","42","Ada",["owner"],true]' ]
	say_on 42 "hello ada"
	wait_events message.sent 1
	[ "$(events message.sent | jq -r .data.message_id)" != "" ]
	# The same again is refused there; what looks like a command is none.
	say_on 42 "hello ada"
	wait_events message.failed 1 '.data.error | test("msg_duplicate")'
	say_on 42 "/ban ada"
	wait_events message.sent 2
	[ "$(tail -n 1 "$twitch/said")" = $'#ada  \xe2\x80\x8b/ban ada' ]
	# More than may be said at once: the rest waits for its turn.
	for i in 1 2 3 4 5 6 7; do say_on 42 "number $i"; done
	wait_for "$twitch/said" "number 7"
	[ "$(grep -o 'number .' "$twitch/said" | xargs)" = "number 1 number 2 number 3 number 4 number 5 number 6 number 7" ]
	# Asked to go: again, with a gap.
	echo "raw :tmi.twitch.tv RECONNECT" >"$twitch/say"
	wait_events gateway.up 2
	wait_events gateway.gap 1 '.data.reason | test("asked to connect again")'
	[ ! -e "$twitch/wrong" ] || { cat "$twitch/wrong" >&2; return 1; }
	printf oauth:bad >"$T/pass"
	daemon_signal gw HUP
	wait_events gateway.down 2
	wait_for "$T/gw.err" "stopped; .*Login authentication failed"
	# A token that is good, and a reload.
	printf oauth:good >"$T/pass"
	daemon_signal gw HUP
	wait_events gateway.up 3
}

@test "a server that keeps a history: after a kill, and a loss in the middle of it, all that was said is there, once" {
	local irc=$T/history
	daemon_start history "$BATS_TEST_DIRNAME/history_irc.py" "$irc"
	irc_account "server = irc://127.0.0.1:$(<"$irc/port")" 'channels = "#dev"'
	gw_hub
	irc_gw
	wait_events gateway.up 1
	printf '%s\n' "chat #lobby before" "chat #dev before, too" >"$irc/say"
	wait_events chat.message 2
	daemon_kill gw
	{ for i in $(seq 100); do echo "chat #lobby $i"; done; printf '%s\n' "chat #dev aside" "chat pen psst" "cut 4"; } >"$irc/say"
	wait_for "$irc/asked" '^cut 4'
	irc_gw
	# What is said now is behind it, or in it as well.
	wait_events gateway.gap 2
	echo "chat #lobby now" >"$irc/say"
	wait_events chat.message 1 '.data.text == "psst" and .subject == "ada" and .data.replayed'
	wait_events chat.message 105
	[ "$(events chat.message '.subject == "#lobby"' | jq -r .data.text | sort)" = "$({ echo before; seq 100; echo now; } | sort)" ]
	[ "$(events chat.message | jq -r .id | sort | uniq -d)" = "" ]
	[ "$(events gateway.gap '.data.reason | test("is read from the server.s history")' | jq -r .data.from | sort -u | wc -l)" = 1 ]
	[ ! -e "$irc/wrong" ] || { cat "$irc/wrong" >&2; return 1; }
}

#!/usr/bin/env bats
# SETTING UP of penstock-platforms(5), as printed there, with the lab in the place of Discord and Twitch.
bats_require_minimum_version 1.5.0
load ../lib/daemon
load tree

# block N: the page's Nth literal text of that section, the names in capitals replaced as $NAMES says.
block() {
	awk '/^\.Sh / { on = ($0 == ".Sh SETTING UP") } on && /^\.Bd -literal/ { n++; text = 1; next } /^\.Ed/ { text = 0 } on && text { print n "\t" $0 }' \
		"$ROOT/man/penstock-platforms.5" | sed -n "s/^$1	//p" | sed -e 's/\\e/\\/g' -e 's/^\\&//' -e "$NAMES" >"$T/block"
	[ -s "$T/block" ]
}
run_block() { block "$1" && bash -eu "$T/block"; }
lab() { curl -sSf -m 20 ${2:+-d "$2"} "$LAB/lab/$1"; }
live() { p status --json | jq -e '[.gateways[].accounts[].connections[] | select(.state == "live")] | length == 2' >/dev/null; }
answered() { lab said | jq -e '[.entries[] | select(.kind == "said") | .text] | sort == ["pong", "pong", "pong"]' >/dev/null; }
said() { p tail --once -n 200 --where 'type == "message.sent"'; }

@test "a bot on Discord and one on Twitch, step by step" {
	tree_new
	tree_up
	daemon_start lab "$ROOT/share/lab/lab.py" -d "$T/lab" -q
	LAB=http://127.0.0.1:$(<"$T/lab/port")
	token=$(<"$T/lab/accounts/default/lab-discord.token")
	conf() { sed -n "s/^$1 = //p" "$T/lab/accounts/default/lab-$2.conf"; }
	app=$(conf application-id discord)
	client=$(conf client-id twitch)
	NAMES="s|https://discord.com|$LAB|; s|https://id.twitch.tv|$LAB|; s|https://api.twitch.tv|$LAB|; s/APPLICATION-ID/$app/; s/CLIENT-ID/$client/"
	mkdir -p "$D/etc/accounts/default"
	cd "$D/etc/accounts/default"
	# Discord: token and account, a command.
	run_block 2 <<<"$token"
	echo "api = $LAB/api/v10" >>bot.conf
	run_block 3 >"$T/commands"
	jq -e '.[0].name == "ping"' "$T/commands"
	# Twitch: consent, token, number of the channel, account. The variables go on from block to block.
	block 4
	cp "$T/block" "$T/steps"
	bash -eu "$T/steps" <"$T/lab/accounts/default/lab-twitch.secret" >"$T/device"
	lab twitch/device "$(jq -c '{user_code, user: "penstock"}' "$T/device")" >/dev/null
	NAMES+="; s/DEVICE-CODE/$(jq -r .device_code "$T/device")/; s/login=CHANNEL/login=lab/"
	block 5
	{ sed -n '/^[a-z]*=/p; /^umask/p' "$T/steps"; cat "$T/block"; } >"$T/steps5"
	bash -eu "$T/steps5" >"$T/validate"
	block 6
	{ sed -n '/^[a-z]*=/p; /^umask/p' "$T/steps"; cat "$T/block"; } >"$T/steps6"
	bash -eu "$T/steps6" >"$T/users"
	NAMES+="; s/USER-ID/$(jq -r .user_id "$T/validate")/; s/CHANNEL-ID/$(jq -r '.data[0].id' "$T/users")/"
	[[ $NAMES == *"s/USER-ID/99/; s/CHANNEL-ID/42/" ]]
	run_block 7
	printf '%s\n' "oauth = $LAB/oauth2" "helix = $LAB/helix" "eventsub = ws${LAB#http}/ws" >>tw.conf
	[ "$(stat -c %a bot.token tw.token tw.secret | sort -u)" = 600 ]
	# Does it work?
	block 8
	sed -i 's/penstock tail/penstock tail --once -n 200/; /^penstock status/d' "$T/block"
	PENSTOCK_DIR=$D bash -eu "$T/block" >"$T/works"
	wait_until 20 live
	lab say '{"channel":"discord:general","text":"!ping"}' >/dev/null
	lab say '{"channel":"twitch:lab","text":"!ping"}' >/dev/null
	lab discord/interaction '{"channel":"general","name":"ping"}' >/dev/null
	wait_until 20 answered
	wait_until 20 eval '[ "$(said | wc -l)" = 3 ]'
	PENSTOCK_DIR=$D bash -eu "$T/block" >"$T/works"
	[ "$(jq -r 'select(.data.self | not) | .type' "$T/works" | sort | uniq -c | xargs)" = "2 chat.message 3 message.send 3 message.sent" ]
	lab violations | jq -e '.violations == []'
	tree_down
}

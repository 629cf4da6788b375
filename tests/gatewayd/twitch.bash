# gatewayd against the lab's Twitch (tests/peers/lab), with a real hub. What of discord.bash asks the lab and the hub is used here, too.
#
#   bot_start [LAB OPTIONS]    the lab, route, gatewayd with the lab's bot; returns when it is up
#   bot_start_later [OPTIONS]  the same but for the bot: CONF is its account file, for bot_add
#   bot_add [LINE...]          the account with further lines; gatewayd is told
#   hear TEXT [COUNT]          ada says it in the lab's channel
#   heard N TEXT...            until there are N messages, which are these and no others, in this order
#   status EXPR                what penstock status shows of the account fulfils EXPR (jq)

load discord

CONF=default/lab-twitch.conf

bot_start_later() {
	lab_start -q "$@"
	mkdir -p "$T/accounts/default"
	gw_hub
	bot_gw
}

bot_add() {
	cp "$T"/lab/accounts/default/lab-twitch.* "$T/accounts/default/"
	[ "$#" -eq 0 ] || printf '%s\n' "$@" >>"$T/accounts/$CONF"
	daemon_signal gw HUP
}

bot_start() {
	bot_start_later "$@"
	bot_add
	wait_events gateway.up 1
}

# Of a word that stands there already the line is replaced.
bot_word() { # WORD VALUE
	sed -i "/^$1 *=/d" "$T/accounts/$CONF"
	printf '%s = %s\n' "$1" "$2" >>"$T/accounts/$CONF"
}

hear() { lab say "$(jq -nc --arg t "$1" --argjson n "${2:-1}" '{channel: "twitch:lab", user: "ada", text: $t, count: $n}')" >/dev/null; }
heard() {
	wait_events chat.message "$1"
	shift
	[ "$(texts)" = "$(printf '%s\n' "$@")" ] || { texts >&2; return 1; }
}

_status() { nngcat --req --dial "ipc://$T/run/gw" --data '{"do":"accounts"}' --raw --recv-timeout "$PATIENCE" >"$T/status" && jq -e ".accounts[0] | ($1)" "$T/status" >/dev/null; }
status() { wait_until 20 _status "$1" || { cat "$T/status" >&2; return 1; }; }

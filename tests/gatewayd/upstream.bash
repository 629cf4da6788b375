# Accounts of the template platform, against feeds (feed.py).
#
#   feeds_start             the peer; its port in $FEED
#   order LINE...           one order a word (feed.py); the answer in $answer
#   account NAME [LINE...]  $T/accounts/default/NAME.conf for the feed NAME, with further lines
#   up_start NAME [ARGS]    gatewayd NAME on the hub, with accounts, state and control socket
#   kept NAME               numbers {"n":K} of the feed NAME that the hub keeps, one a line, in its order
#   events TYPE             lines of the hub of that type
#   ctl NAME JSON           asks the control socket of gatewayd NAME
#   account_is NAME A EXPR  what it says of the account A fulfils EXPR (jq)
load gateway

feeds_start() {
	mkdir -p "$T/feed" "$T/accounts/default"
	export PYTHONDONTWRITEBYTECODE=1
	daemon_start feeds "$ROOT/tests/gatewayd/feed.py" "$T/feed"
	FEED=$(<"$T/feed/port")
}

order() { answer=$(printf '%s\n' "$@" | curl -s -m 20 --data-binary @- "http://127.0.0.1:$FEED/order"); }

account() {
	local name=$1
	shift
	printf '%s\n' "platform = null" "url = ws://127.0.0.1:$FEED/$name" "$@" >"$T/accounts/default/$name.conf"
}

up_start() {
	local name=$1
	shift
	daemon_start "$name" gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/$name.ctl" --drain-time 2s "$@"
}

kept() { spooled | sed -nE "s/.*\"type\":\"platform.event\".*\"account\":\"$1\",\"raw\":\{\"n\": *([0-9]+)[,}].*/\1/p"; }
events() { spooled | pick "$1"; }
has_event() { [ -n "$(spooled | pick "$1" "$2")" ]; }
kept_from() { [ "$(kept "$1" | sort -nu | wc -l)" -ge "$2" ]; }
kept_is() { [ "$(kept "$1" | sort -nu | wc -l)" = "$2" ]; }
feed_is() { order state && jq -e --arg a "$1" ".[\$a] | ($2)" <<<"$answer" >/dev/null; }
ctl() { nngcat --req --dial "ipc://$T/run/$1.ctl" --data "$2" --raw --recv-timeout "$PATIENCE"; }
accounts_of() { ctl "$1" '{"do":"accounts"}'; }
account_is() { accounts_of "$1" | jq -e --arg a "$2" ".accounts[] | select(.account == \$a) | ($3)" >/dev/null; }

# Gateways first: one whose hub is gone waits for it.
teardown() {
	local name bad=0
	for name in gw gw1 gw2; do
		[ -z "${DAEMON_PID[$name]:-}" ] || daemon_stop "$name" || bad=1
	done
	daemons_end && return "$bad"
}

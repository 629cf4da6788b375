bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

# Lines for the account to say, of so many bytes.
say_bytes() { # COUNT BYTES
	jq -nc --argjson k "$1" --argjson n "$2" '("x" * $n) as $text | range($k) | {specversion:"1.0",id:"s\(.)",source:"/test",type:"message.send",
		data:{account:"bot",platform:"null",channel:{id:"c"},text:$text}}' |
		nngcat --req --dial "ipc://$T/run/in" --file /dev/stdin --raw --recv-timeout 20 >"$T/put"
}

@test "a peer that takes nothing any more: a write stall is the reason in log and event" {
	feeds_start
	account bot
	echo 'type == "message.send" -> say' >"$T/rules"
	gw_hub
	up_start gw -w "ipc://$T/run/to-say" --stall-time 3s
	wait_until 20 feed_is bot '.conns | length == 1'
	order "zombie bot"
	# The system takes some megabytes before it lets the rest wait.
	say_bytes 5 830000
	wait_until 20 has_event gateway.down '.data.account == "bot" and .data.reason == "write stall: the peer takes nothing"'
	wait_for "$T/gw.err" 'null:bot/0 lost: write stall: the peer takes nothing'
	wait_until 20 feed_is bot '.opened >= 2'
}

# A network of its own, whose way back from the peer can be cut: nothing is acknowledged, and nobody says that the connection is gone.
network() {
	command -v unshare nsenter ip >/dev/null || skip "no unshare, nsenter and ip here"
	unshare -n sleep 120 3>&- &
	NET=$!
	wait_until 5 _has_network || skip "no network namespace is to be had here (this takes root)"
	inside ip link set lo up
	inside ip rule add pref 100 lookup local && inside ip rule del pref 0 || skip "no rules of routing in this kernel"
}
inside() { nsenter -t "$NET" -n "$@"; }
_has_network() { inside true 2>"$T/nsenter" && [ "$(readlink "/proc/$NET/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
end_network() { [ -z "${NET:-}" ] || { kill "$NET" && wait "$NET" || true; }; }

eval "upstream_$(declare -f teardown)"
teardown() {
	end_network
	upstream_teardown
}

@test "a peer whose network has gone: TCP's own limit is the reason in log and event" {
	network
	mkdir -p "$T/feed" "$T/accounts/default" "$T/run"
	export PYTHONDONTWRITEBYTECODE=1
	feeds_inside() { exec nsenter -t "$NET" -n "$ROOT/tests/gatewayd/feed.py" "$@"; }
	daemon_start feeds feeds_inside "$T/feed" -l 127.0.0.2
	order() { answer=$(printf '%s\n' "$@" | inside curl -s -m 20 --data-binary @- "http://127.0.0.2:$(<"$T/feed/port")/order"); }
	printf 'platform = null\nurl = ws://127.0.0.2:%s/bot\n' "$(<"$T/feed/port")" >"$T/accounts/default/bot.conf"
	echo 'type == "message.send" -> say' >"$T/rules"
	gw_hub
	gw_inside() { exec nsenter -t "$NET" -n gatewayd "$@"; }
	daemon_start gw gw_inside -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw.ctl" \
		-w "ipc://$T/run/to-say" --stall-time 1s
	wait_until 20 feed_is bot '.conns | length == 1'
	inside ip rule add pref 10 from 127.0.0.2 blackhole
	say_bytes 1 10
	wait_until 20 has_event gateway.down '.data.reason == "TCP timeout: nothing is acknowledged"'
	wait_for "$T/gw.err" 'null:bot/0 lost: TCP timeout: nothing is acknowledged'
	inside ip rule del pref 10
	wait_until 30 feed_is bot '.opened >= 2'
}

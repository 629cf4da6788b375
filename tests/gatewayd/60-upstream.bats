bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

@test "an account is dialled, its frames become lines in order, and status tells of it" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 has_event gateway.up '.data.connection == "null:bot/0" and .source == "/null/default/bot"'
	order "burst bot 500"
	wait_until 20 kept_is bot 500
	[ "$(kept bot)" = "$(seq 500)" ]
	account_is gw bot '.connections[0].state == "live" and .connections[0].lines == 500 and .status.frames == 500'
	daemon_stop gw
	has_event gateway.down '.data.reason == "drained"'
	wait_until 20 feed_is bot '.closed == [4000] and .said == []'
}

@test "a lost connection is resumed: the reason is told, nothing is missing, nothing is there twice" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "burst bot 10" "close bot 1012" "burst bot 10"
	wait_until 20 has_event gateway.down '.data.code == 1012'
	wait_until 20 has_event gateway.resumed 'true'
	order "drop bot"
	wait_until 20 has_event gateway.down '.data.reason | test("reset|closed by the peer")'
	order "burst bot 10"
	wait_until 20 kept_is bot 30
	[ "$(kept bot)" = "$(seq 30)" ]
	[ -z "$(events gateway.gap)" ]
}

@test "a peer that says nothing more is given up by the rule of liveness, which is the reason in the event" {
	feeds_start
	account bot "silence = 300ms"
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "zombie bot"
	wait_until 20 has_event gateway.down '.data.reason == "silence"'
	wait_until 20 feed_is bot '.opened >= 2'
}

@test "a session that the peer has forgotten is a gap, told once, with its range" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "burst bot 5"
	wait_until 20 kept_is bot 5
	wait_until 20 account_is gw bot '.connections[0].waiting == 0'
	order "forget bot" "close bot 1001"
	wait_until 20 has_event gateway.gap '.data.reason == "the peer does not know the session" and (.data.from | length) == 16'
	wait_until 20 feed_is bot '.sessions | length == 1'
	order "burst bot 5"
	wait_until 20 kept_is bot 10
	[ "$(events gateway.gap | wc -l)" = 1 ]
	[ "$(events gateway.up | wc -l)" = 2 ]
}

@test "pings are answered, none is sent; frames that are none end the connection with their code" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "raw bot 89026869"
	wait_until 20 feed_is bot '.said == ["<pong>"]'
	order "raw bot c101ff"
	wait_until 20 feed_is bot '.closed == [1002]'
	wait_until 20 feed_is bot '.opened == 2 and (.conns | length == 1)'
	order "raw bot 8102c328"
	wait_until 20 feed_is bot '.closed == [1002, 1007]'
	wait_until 20 has_event gateway.down '.data.code == 1007'
	order "raw bot 00"
	feed_is bot '.said == ["<pong>"]'
}

# Seconds, a line for each time that it is told.
lost_at() { jq -r --arg a "null:$1/0 lost: " 'select(.msg | startswith($a)) | .ts | sub("\\..*"; "Z") as $s | ($s | fromdate) + ("0." + (sub(".*\\."; "") | rtrimstr("Z")) | tonumber)' "$T/gw.err"; }
lost_often() { [ "$(lost_at "$1" | wc -l)" -ge "$2" ]; }

@test "who is refused backs off and says why; nobody is told that something went down that was never up" {
	feeds_start
	account bot
	account nowhere
	sed -i 's|^url.*|url = ws://127.0.0.1:1/x|' "$T/accounts/default/nowhere.conf"
	# Its identify is given back each time: nothing was sent.
	account paid "identify = yes"
	sed -i 's|^url.*|url = ws://127.0.0.1:1/x|' "$T/accounts/default/paid.conf"
	account noname
	sed -i 's|^url.*|url = ws://no-such-host.invalid/x|' "$T/accounts/default/noname.conf"
	order "refuse bot yes"
	gw_hub
	up_start gw
	wait_until 20 account_is gw bot '.connections[0] | .tries >= 2 and .lost == "handshake: the server answered 503 Service Unavailable"'
	wait_until 20 account_is gw nowhere '.connections[0] | .tries >= 2 and .lost == "Connection refused"'
	wait_until 20 account_is gw paid '.connections[0] | .tries >= 2 and .lost == "Connection refused"'
	wait_until 20 account_is gw noname '.connections[0].lost | test("no-such-host.invalid|timeout")'
	# Three waits of up to 0.5, 1 and 2 s, at random: none of them is nothing but once in 100,000 times.
	wait_until 20 lost_often nowhere 4
	[ "$(lost_at nowhere | sed -n '1p;4p' | jq -s '(.[1] - .[0]) * 1000 | floor')" -ge 30 ]
	order "refuse bot no"
	wait_until 30 has_event gateway.up '.data.account == "bot"'
	[ -z "$(events gateway.down)" ]
	[ -z "$(events gateway.gap)" ]
}

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/unit
load upstream

hook() { curl -s -m 20 -o "$T/body" -w '%{http_code}' --data-binary "$2" "$URL/hook/$1"; }
not_kept() { [ "$(hook default/bot '{"n":10}')" = 503 ] && grep -q not-kept "$T/body"; }
cpu() { awk '{ print $14 + $15 }' "/proc/$(daemon_pid "$1")/stat"; }	# in hundredths of a second
# A look, and no silence until the next one.
talking() { order 'say bot {"still":"here"}' && "$@"; }
unanswered() { [ -n "$(jq -c 'select(.held)' <<<"$(accounts_of gw)")" ]; }

@test "the hub is away: lines wait up to a limit, then sockets are not read; liveness stands still, and all comes in the end" {
	local before
	feeds_start
	# It counts from the connection to the burst, too.
	account bot "silence = 6s"
	account two
	gw_hub
	up_start gw --max-held 1m
	wait_until 20 feed_is bot '.conns | length == 1'
	wait_until 20 feed_is two '.conns | length == 1'
	daemon_stop route
	order "burst bot 3000 1000"
	wait_until 20 unanswered
	wait_for "$T/gw.err" 'the hub is behind: platforms are not read'
	order "say two {\"n\":1}"
	# The end of one is told behind what came before it, and is not looked at over and over again until then.
	order "drop two"
	before=$(cpu gw)
	# Longer than the silence that is allowed, by the gateway's own clock.
	wait_until 20 account_is gw bot '(.connections[0].since | sub("\\.[0-9]+";"") | fromdate) + 8 < now'
	[ $(($(cpu gw) - before)) -lt 200 ]
	gw_hub
	wait_for "$T/gw.err" 'the hub has caught up'
	wait_until 60 talking kept_is bot 3000
	wait_until 20 talking kept_is two 1
	[ "$(kept bot)" = "$(seq 3000)" ]
	[ -z "$(events gateway.down | jq -c 'select(.data.account == "bot")')" ]
	wait_until 20 talking has_event gateway.resumed '.data.account == "two"'
	feed_is bot '.opened == 1'
}

@test "hooks: answered when the hub has acknowledged, 503 when it cannot, 404 for what is not there" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	gw_url
	wait_until 20 feed_is bot '.conns | length == 1'
	[ "$(hook default/bot '{"n":7}')" = 204 ]
	[ "$(kept bot)" = 7 ]
	[ "$(hook default/bot/and/more '{"n":8}')" = 204 ]
	[ "$(hook default/nobody '{}')" = 404 ]
	[ "$(hook acme/bot '{}')" = 404 ]
	[ "$(hook default '{}')" = 404 ]
	[ "$(curl -s -o "$T/body" -w '%{http_code}' "$URL/hook/default/bot")" = 405 ]
	daemon_stop gw
	up_start gw --ack-time 300ms
	gw_url
	daemon_stop route
	[ "$(hook default/bot '{"n":9}')" = 503 ]
	gw_hub
	wait_until 20 kept_is bot 3
	# A hub that refuses what came of it for good.
	daemon_stop route
	daemon_start refusing "$P" server "ipc://$T/run/in" refuse:1
	wait_until 20 not_kept
	daemon_stop gw
	daemon_stop refusing
	# Then it is a gap, whoever may send it again.
	gw_hub
	up_start gw
	gw_url
	wait_until 20 account_is gw bot '.connections[0].state == "live" and .held == null'
	daemon_stop route
	daemon_start once "$P" server "ipc://$T/run/in" refuse:1 lines
	not_kept
	wait_for "$T/once.out" '"type":"gateway.gap".*"a line was refused by the hub: no good"'
	daemon_stop gw
	daemon_stop once
}

# The template platform's peers send again for two seconds.
debt() { set -- "$T"/state/default/bot/*.debt; [ -e "$1" ]; }
debt_is_old() { [ -n "$(find "$T"/state/default/bot/*.debt -not -newermt '-3 seconds')" ]; }

@test "hooks that were refused for long, as the hub was behind, are a gap, and who is killed meanwhile leaves it to be told" {
	feeds_start
	account bot
	gw_hub
	up_start gw --max-held 1m
	gw_url
	wait_until 20 feed_is bot '.conns | length == 1'
	daemon_stop route
	order "burst bot 3000 1000"
	wait_for "$T/gw.err" 'the hub is behind: platforms are not read'
	[ "$(hook default/bot '{"n":4000}')" = 503 ]
	grep -q behind "$T/body"
	debt
	wait_until 20 talking debt_is_old
	gw_hub
	wait_until 20 talking has_event gateway.gap '.data.reason == "the hub was behind for longer than requests are sent again for sure" and .data.connection == "null:bot" and .data.from < .data.to'
	wait_until 20 talking not debt
	# A moment is none.
	up_start gw1 --ack-time 300ms
	wait_for "$T/gw1.err" 'another process holds it'
	cp "$T/gw.err" "$T/first.err"
	cp "$T/gw1.err" "$T/gw.err"
	gw_url
	daemon_signal route STOP
	[ "$(hook default/bot '{"n":5000}')" = 503 ]
	grep -q late "$T/body"
	debt
	daemon_signal route CONT
	wait_until 20 talking not debt
	kept bot | grep -qx 5000
	[ "$(events gateway.gap | wc -l)" = 1 ]
	# Killed with it: the one that lives looks at times.
	daemon_signal route STOP
	[ "$(hook default/bot '{"n":6000}')" = 503 ]
	wait_until 20 talking debt_is_old
	daemon_kill gw1
	daemon_signal route CONT
	wait_until 20 talking has_event gateway.gap '.data.reason == "the process that was to take requests ended when the hub was behind" and .data.from < .data.to'
	wait_until 20 talking not debt
	feed_is bot '.opened == 1'
}

@test "message.send of the hub is said over the account's connection, and its outcome is a line" {
	local id
	feeds_start
	account bot
	mkdir -p "$T/run"
	echo 'type == "message.send" -> say' >"$T/rules"
	gw_hub
	up_start gw -w "ipc://$T/run/to-say"
	wait_until 20 feed_is bot '.conns | length == 1'
	send() { jq -nc --arg id "$1" --arg a "$2" --arg t "$3" '{specversion:"1.0",id:$id,source:"/test",type:"message.send",data:{account:$a,platform:"null",channel:{id:"c"},text:$t}}' |
		nngcat --req --dial "ipc://$T/run/in" --file /dev/stdin --raw --recv-timeout 20 >"$T/put"; }
	send a bot "hello there"
	send b nobody "not for me"
	wait_until 20 feed_is bot '.said == ["hello there"]'
	wait_until 20 has_event message.sent '.causationid == "a" and .data.account == "bot" and .data.channel.id == "c"'
	wait_until 20 grep -rqs 'there is no such account' "$T/spool"
	[ "$(events message.sent | wc -l)" = 1 ]
	# Not up here: refused for now, and said when it is.
	order "refuse bot yes" "close bot 1001"
	wait_until 20 has_event gateway.down 'true'
	send c bot "later"
	order "refuse bot no"
	wait_until 30 feed_is bot '.said == ["hello there", "later"]'
	wait_until 20 has_event message.sent '.causationid == "c"'
}

@test "wss: the certificate is checked against the account's own authority and the name" {
	local port
	mkdir -p "$T/feed"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-keyout "$T/feed/key.pem" -out "$T/feed/cert.pem" 2>"$T/openssl.err"
	feeds_start
	port=$(<"$T/feed/tls-port")
	cp "$T/feed/cert.pem" "$T/accounts/default/ca.pem"
	printf 'platform = null\nurl = wss://localhost:%s/good?x\nca = ca.pem\n' "$port" >"$T/accounts/default/good.conf"
	printf 'platform = null\nurl = wss://localhost:%s/anyone\n' "$port" >"$T/accounts/default/anyone.conf"
	printf 'platform = null\nurl = wss://127.0.0.1:%s/wrongname\nca = ca.pem\n' "$port" >"$T/accounts/default/wrongname.conf"
	gw_hub
	up_start gw
	wait_until 20 feed_is good '.conns | length == 1'
	order "burst good 300 3000"
	wait_until 20 kept_is good 300
	wait_for "$T/gw.err" 'null:anyone/0 lost: TLS: certificate: self'
	wait_for "$T/gw.err" 'null:wrongname/0 lost: TLS: certificate: IP address mismatch'
	wait_until 20 account_is gw anyone '.connections[0].tries > 1'
}

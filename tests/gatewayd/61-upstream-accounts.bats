bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

conns() { order state && jq -c --arg a "$1" '.[$a].conns' <<<"$answer"; }

@test "SIGHUP: what changed is dialled anew, what is new is dialled, what is gone is closed, nobody else is touched" {
	local stays changes
	feeds_start
	for a in stays changes goes breaks; do account $a; done
	gw_hub
	up_start gw
	for a in stays changes goes breaks; do wait_until 20 feed_is $a '.conns | length == 1'; done
	stays=$(conns stays) changes=$(conns changes) breaks=$(conns breaks)
	account changes "silence = 60s"
	account comes
	rm "$T/accounts/default/goes.conf"
	echo "this is no line" >>"$T/accounts/default/breaks.conf"
	mkdir "$T/accounts/acme"
	sed 's/stays/other/' "$T/accounts/default/stays.conf" >"$T/accounts/acme/stays.conf"
	daemon_signal gw HUP
	wait_until 20 feed_is comes '.conns | length == 1'
	wait_until 20 feed_is other '.conns | length == 1'
	wait_until 20 feed_is goes '.conns == [] and .closed == [1000]'
	wait_until 20 feed_is changes ".conns | length == 1 and . != $changes"
	wait_for "$T/gw.err" 'breaks.conf:3: not a line of the form'
	[ "$(conns stays)" = "$stays" ]
	[ "$(conns breaks)" = "$breaks" ]
	feed_is stays '.opened == 1'
	order "burst stays 3" "burst other 3" "burst changes 3"
	wait_until 20 kept_is changes 3
	wait_until 20 has_event platform.event '.tenant == "acme" and .source == "/null/acme/stays"'
	five() { accounts_of gw | jq -e '.accounts | length == 5'; }
	wait_until 20 five
}

@test "an account with an error is named and left out; the others work" {
	feeds_start
	account good
	account bad "silence = long"
	printf 'platform = nowhere\n' >"$T/accounts/default/ugly.conf"
	account off "enabled = no"
	account odd "colour = red"
	printf 'platform = webhook\n' >"$T/accounts/default/others.conf"
	gw_hub
	up_start gw
	wait_until 20 feed_is good '.conns | length == 1'
	wait_until 20 feed_is odd '.conns | length == 1'
	wait_for "$T/gw.err" 'bad.conf:3: silence: .*long'
	wait_for "$T/gw.err" 'ugly.conf:1: platform: there is no platform .*nowhere.*; there are irc, discord, twitch, null, webhook'
	wait_for "$T/gw.err" 'odd.conf:3: nothing knows the word .*colour'
	wait_for "$T/gw.err" "accounts: 6 read, 2 bad"
	not grep others.conf "$T/gw.err"
	[ "$(accounts_of gw | jq '.accounts | length')" = 2 ]
	[ "$(accounts_of gw | jq -r '[.accounts[].account] | sort | join(" ")')" = "good odd" ]
}

@test "two accounts of one bot: one ledger for both, what an earlier version wrote in it, and a person is told of both files" {
	local now
	feeds_start
	account one "bot = b-1" "identify = yes" "identify-total = 3"
	mkdir -p "$T/accounts/acme" "$T/state/default/one"
	sed 's,/one,/two,' "$T/accounts/default/one.conf" >"$T/accounts/acme/two.conf"
	now=$(date +%s)000000000
	printf '%s\n' "identify $now 0 0 1" "sent $now 0" >"$T/state/default/one/ledger"
	gw_hub
	up_start gw
	wait_until 20 feed_is one '.conns | length == 1'
	wait_until 20 feed_is two '.conns | length == 1'
	account one "bot = b-1" "identify = yes" "identify-total = 3" "connections = 2"
	daemon_signal gw HUP
	wait_until 20 account_is gw one '.connections | map(.state) | sort == ["budget", "live"]'
	account_is gw one '.identifies_left == 0 and (.same_bot | endswith("acme/two.conf"))'
	account_is gw two '.identifies_left == 0 and (.same_bot | endswith("default/one.conf"))'
	[ "$(cd "$T/state" && ls default/one/ledger acme/two/ledger _ledgers/* 2>/dev/null)" = _ledgers/null-b-1 ]
	[ "$(grep -c ^identify "$T/state/_ledgers/null-b-1")" = 3 ]
	wait_for "$T/gw.err" 'acme/two.conf, too: each of the two gets every event'
	accounts_of gw | jq -e '.faults | map(select(.level == "warn" and (.text | test("default/one.conf: .*acme/two.conf")))) | length == 1'
	rm "$T/accounts/acme/two.conf"
	daemon_signal gw HUP
	wait_until 20 account_is gw one 'has("same_bot") | not'
	accounts_of gw | jq -e '.faults == []'
}

@test "stopped: a close code that no reconnect helps against waits for a change of the account" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "close bot 4004"
	wait_until 20 account_is gw bot '.connections[0].state == "stopped" and .connections[0].code == 4004'
	wait_until 20 has_event gateway.down '.data.code == 4004'
	account bot "silence = 60s"
	daemon_signal gw HUP
	wait_until 20 feed_is bot '.opened == 2 and (.conns | length == 1)'
	# It may have been the platform's side that was changed.
	order "close bot 4004"
	wait_until 20 account_is gw bot '.connections[0].state == "stopped"'
	daemon_signal gw HUP
	wait_until 20 feed_is bot '.opened == 3 and (.conns | length == 1)'
}

bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

resumed_are() { [ "$(events gateway.resumed | wc -l)" = "$1" ]; }

@test "kill -9 in the middle of a stream: the next process resumes behind what the hub keeps, nothing is lost or there twice" {
	feeds_start
	account bot
	gw_hub
	for round in 1 2 3; do
		up_start gw
		wait_until 20 feed_is bot '.conns | length == 1'
		order "burst bot 400"
		wait_until 20 kept_from bot $((round * 400 - 300))
		daemon_kill gw
	done
	up_start gw
	wait_until 20 kept_is bot 1200
	[ "$(kept bot)" = "$(seq 1200)" ]
	[ -z "$(events gateway.gap)" ]
}

@test "the hub is killed, too: what it had not acknowledged is given to it again" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "burst bot 300"
	daemon_kill route
	order "burst bot 300"
	gw_hub
	wait_until 20 kept_is bot 600
	daemon_kill gw
	order "burst bot 10"
	up_start gw
	wait_until 20 kept_is bot 610
	[ "$(kept bot)" = "$(seq 610)" ]
}

@test "stopped and killed while the hub is away: nothing is behind what it never had, neither lines nor a gap" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "burst bot 1"
	wait_until 20 kept_is bot 1
	daemon_stop route
	# Two lines, a frame too long for one, a third line
	order "burst bot 2"
	wait_until 20 account_is gw bot '.connections[0].waiting == 2'
	order "burst bot 1 1200000" "burst bot 1"
	wait_until 20 account_is gw bot '.connections[0].waiting == 3'
	daemon_stop gw
	gw_hub
	up_start gw
	wait_until 20 kept_is bot 4
	[ "$(kept bot)" = $'1\n2\n3\n5' ]
	[ -z "$(events gateway.gap)" ]
	daemon_kill gw
	order "forget bot"
	daemon_stop route
	# Ready it is only with its hub.
	for end in daemon_stop daemon_kill; do
		daemon_run gw gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw.ctl" --drain-time 100ms
		wait_until 20 account_is gw bot '.connections[0] | .state == "live" and .waiting >= 2'
		wait_for "$T/gw.err" listening
		$end gw
	done
	gw_hub
	up_start gw
	wait_until 20 has_event gateway.gap '.data.account == "bot"'
}

@test "a lease: the second process waits, takes over at once when the first is killed, and nothing is missing" {
	feeds_start
	account bot "connections = 20"
	account two
	gw_hub
	up_start gw1
	for a in bot two; do wait_until 20 account_is gw1 $a 'all(.connections[]; .state == "live")'; done
	up_start gw2
	wait_until 20 account_is gw2 bot '[.connections[] | select(.state == "standby" and .holder == '"$(daemon_pid gw1)"')] | length == 20'
	wait_until 20 account_is gw2 two '.connections[0].state == "standby"'
	order "burst two 50"
	daemon_kill gw1
	wait_until 20 feed_is bot '(.conns | length == 20) and .opened == 40'
	order "burst two 50"
	wait_until 20 kept_is two 100
	[ "$(kept two)" = "$(seq 100)" ]
	wait_until 20 resumed_are 21
}

@test "drain: one process hands its connections to the other; no session is lost, and it is the one that waits then" {
	feeds_start
	account bot "connections = 20" "identify = yes" "identify-total = 1000"
	account two
	gw_hub
	up_start gw1
	wait_until 20 account_is gw1 bot '[.connections[] | select(.state == "live")] | length == 20'
	wait_until 20 account_is gw1 two '.connections[0].state == "live"'
	[ "$(ctl gw1 '{"do":"drain"}' | jq -r .error)" = "no other process waits for it" ]
	up_start gw2
	wait_until 20 account_is gw2 bot '[.connections[] | select(.state == "standby")] | length == 20'
	wait_until 20 account_is gw2 two '.connections[0].state == "standby"'
	order "burst two 100"
	[ "$(ctl gw1 '{"do":"drain"}' | jq .draining)" = 21 ]
	order "burst two 100"
	wait_until 20 account_is gw2 bot '[.connections[] | select(.state == "live")] | length == 20'
	order "burst two 100"
	wait_until 20 kept_is two 300
	wait_until 20 account_is gw1 bot '[.connections[] | select(.state == "standby")] | length == 20'
	[ "$(kept two)" = "$(seq 300)" ]
	wait_until 20 resumed_are 21
	account_is gw2 bot '.identifies_left == 960'
	# What waits takes it back when the other one stops.
	daemon_stop gw2
	wait_until 20 account_is gw1 bot '[.connections[] | select(.state == "live")] | length == 20'
}

@test "SIGTERM: the session is saved and goes on in the next process" {
	feeds_start
	account bot
	gw_hub
	up_start gw
	wait_until 20 feed_is bot '.conns | length == 1'
	order "burst bot 100"
	daemon_stop gw
	order "burst bot 100"
	up_start gw
	wait_until 20 kept_is bot 200
	[ "$(kept bot)" = "$(seq 200)" ]
	wait_until 20 resumed_are 1
}

@test "a crash loop spends no identify that the day does not have: the ledger is in the way before the socket is" {
	local n
	feeds_start
	account bot "identify = yes" "identify-total = 3"
	gw_hub
	for n in 1 2 3 4 5; do
		daemon_run gw gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw.ctl"
		if [ "$n" -le 3 ]; then
			wait_until 20 feed_is bot ".opened == $n"
		else
			wait_until 20 account_is gw bot '.connections[0].state == "budget" and .identifies_left == 0'
		fi
		wait_for "$T/gw.err" listening
		daemon_kill gw
		rm -f "$T"/state/default/bot/conn-*.state*
	done
	feed_is bot '.opened == 3'
	[ "$(grep -c ^identify "$T/state/default/bot/ledger")" = 3 ]
}

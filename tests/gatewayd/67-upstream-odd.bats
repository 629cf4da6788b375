bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

# A time so many seconds from now, as the ledger writes it.
wall() { echo "$(($(date +%s) + $1))000000000"; }
ahead() { awk -v now="$(wall 60)" '$2 > now' "$T/state/default/$1/ledger"; }

@test "odd files of its own: a ledger of a clock that was set back, one that cannot be written, sessions that cannot be read" {
	feeds_start
	account back "identify = yes"
	account full "identify = yes"
	account long
	account garbage
	mkdir -p "$T"/state/default/{back,full,long,garbage}
	printf '%s\n' "budget $(wall 0) 1 100000000 1000 1000 $(wall 3600)" "identify $(wall 3600) 0 0 1" "sent $(wall 3600) 0" >"$T/state/default/back/ledger"
	mkdir "$T/state/default/full/ledger" "$T/state/default/back/conn-0.state.new"
	head -c 70000 /dev/zero | tr '\0' x >"$T/state/default/long/conn-0.state"
	head -c 700 /dev/urandom >"$T/state/default/garbage/conn-0.state"
	gw_hub
	up_start gw
	for a in back long garbage; do
		wait_until 20 has_event gateway.up ".data.account == \"$a\""
	done
	[ -z "$(ahead back)" ]
	[ "$(grep -c ^identify "$T/state/default/back/ledger")" = 2 ]
	# What stood in them is not known: a gap, and not a word of being up for the first time.
	wait_until 20 has_event gateway.gap '.data.account == "long"'
	wait_until 20 has_event gateway.gap '.data.account == "garbage"'
	[ "$(events gateway.gap | wc -l)" = 2 ]
	wait_until 20 account_is gw full '.connections[0] | .state == "budget" and (.waits | test("ledger cannot be used"))'
	feed_is full '.opened == 0' || [ -z "$(jq -c '.full // empty' <<<"$answer")" ]
	rmdir "$T/state/default/full/ledger"
	wait_until 20 has_event gateway.up '.data.account == "full"'
	whole() { [ "$(cut -d ' ' -f 1 "$T/state/default/full/ledger" | grep . | sort -u | tr '\n' ' ')" = "budget identify sent " ]; }
	wait_until 20 whole
	wait_for "$T/gw.err" 'back/conn-0.state: .*tried again'
	[ "$(grep -c 'back/conn-0.state: .*tried again' "$T/gw.err")" = 1 ]
	rmdir "$T/state/default/back/conn-0.state.new"
	order "burst long 3" "burst garbage 3" "burst back 3"
	wait_until 20 kept_is long 3
	wait_until 20 kept_is garbage 3
	wait_for "$T/gw.err" 'back/conn-0.state: is kept again'
	[ -s "$T/state/default/back/conn-0.state" ]
}

@test "fewer descriptors than connections: some are left for files and for people, and the reason says what to do" {
	local live
	feeds_start
	account many "connections = 150"
	gw_hub
	few() { ulimit -n 120; exec gatewayd "$@"; }
	daemon_start gw few -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw.ctl"
	wait_for "$T/gw.err" 'want a higher limit .ulimit -n, LimitNOFILE'
	wait_until 20 account_is gw many '[.connections[] | select(.state == "live" or (.lost // "" | test("want a higher limit")))] | length == 150'
	live=$(accounts_of gw | jq '[.accounts[].connections[] | select(.state == "live")] | length')
	[ "$live" -gt 50 ]
	order "say many {\"n\":1}"
	wait_until 20 account_is gw many "[.connections[] | select(.lines == 1 and .waiting == 0)] | length >= $live"
	kept_all() { [ "$(find "$T/state/default/many" -name 'conn-*.state' -size +0 | wc -l)" -ge "$live" ]; }
	wait_until 20 kept_all
	not grep -q 'conn-.*Too many open files' "$T/gw.err"
}

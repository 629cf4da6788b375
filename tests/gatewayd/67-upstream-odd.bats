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
	mkdir "$T/state/default/full/ledger"
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
	account_is gw full '.connections[0].state == "budget"'
	feed_is full '.opened == 0' || [ -z "$(jq -c '.full // empty' <<<"$answer")" ]
	rmdir "$T/state/default/full/ledger"
	wait_until 20 has_event gateway.up '.data.account == "full"'
	[ "$(cut -d ' ' -f 1 "$T/state/default/full/ledger" | grep . | sort -u | tr '\n' ' ')" = "budget identify sent " ]
	order "burst long 3" "burst garbage 3"
	wait_until 20 kept_is long 3
	wait_until 20 kept_is garbage 3
}

bats_require_minimum_version 1.5.0
load ../lib/daemon
load upstream

# Kilobytes of memory that a process has of its own.
memory() { awk '/^Private/ { n += $2 } END { print n }' "/proc/$(daemon_pid "$1")/smaps_rollup"; }

@test "a thousand connections in one process: a few kilobytes each, all saved at the end and resumed by the next process" {
	local before
	feeds_start
	account one
	gw_hub
	up_start gw --drain-time 20s
	wait_until 20 feed_is one '.conns | length == 1'
	before=$(memory gw)
	account many "connections = 1000"
	daemon_signal gw HUP
	wait_until 60 feed_is many '.conns | length == 1000'
	echo "private memory: $before kB, with a thousand more connections $(memory gw) kB"
	# The sanitizers' own memory is not ours to count.
	nm -D "$BIN/gatewayd" | grep -q __asan || [ $((($(memory gw) - before) / 1000)) -lt 30 ]
	order "say many {\"n\":1}" "burst one 2000"
	wait_until 30 kept_is one 2000
	wait_until 30 account_is gw many '[.connections[] | select(.lines == 1 and .waiting == 0)] | length == 1000'
	# The network is lost: they do not come back in one moment, but for a hundred 500 a second.
	order "drop many"
	wait_until 60 feed_is many '.conns | length == 1000'
	wait_until 60 account_is gw many '[.connections[] | select(.state == "live")] | length == 1000'
	back() { [ "$(events gateway.resumed | wc -l)" = 1000 ]; }
	wait_until 20 back
	events gateway.resumed | jq -s 'map((.time[:19] + "Z" | fromdate) + (.time[19:23] | tonumber)) | max - min' >"$T/spread"
	jq -e '. > 1.5' "$T/spread" >/dev/null || { echo "back within $(cat "$T/spread") s" >&2; return 1; }
	daemon_stop gw
	wait_until 20 feed_is many '.closed[-1000:] == [range(1000) | 4000]'
	[ "$(find "$T/state/default/many" -name 'conn-*.state' -size +0 | wc -l)" = 1000 ]
	order "say many {\"n\":2}"
	up_start gw
	wait_until 60 account_is gw many '[.connections[] | select(.lines == 1 and .waiting == 0)] | length == 1000'
	[ -z "$(events gateway.gap)" ]
	[ "$(spooled | grep -c '"raw":{"n":2}')" = 1000 ]
}

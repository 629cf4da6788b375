bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../gatewayd/gateway

page_js() { URL=$URL T=$T timeout 150 node "$ROOT/tests/browser/page.mjs" "$@"; }

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ -d "$ROOT/tests/browser/node_modules/playwright-core" ] ||
		(cd "$ROOT/tests/browser" && npm ci --no-audit --no-fund >&2)
}

@test "two browsers in one room, one of them a phone; by keyboard; a reload shows the history" {
	gw_tree --say-rate 0
	page_js two
}

@test "answers, emotions and markup in messages" {
	gw_tree
	page_js shown
}

@test "gatewayd is killed: the page says so, keeps what is written, and goes on without loss or repeats" {
	gw_tree
	page_js cut &
	js=$!
	wait_for "$T/cut" yes 60
	daemon_kill gw
	wait_for "$T/offline" yes 60
	gw_start
	echo >"$T/up"
	wait_for "$T/again" yes 60
	daemon_kill gw
	wait_for "$T/waiting" yes 60
	gw_start
	echo >"$T/up2"
	wait "$js"
}

@test "the hub is away: the page says so and delivers when it is back" {
	gw_tree
	page_js hub &
	js=$!
	wait_for "$T/stop" yes 60
	daemon_stop route
	echo >"$T/stopped"
	wait_for "$T/start" yes 60
	gw_hub
	wait "$js"
}

@test "rooms, the door, scrolling, a text that is too long" {
	gw_tree --say-rate 0
	page_js rooms
}

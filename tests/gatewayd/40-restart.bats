bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

accepted() { post "$ONE" "$(chat "$1" "$2")"; [ "$status_code" -eq 202 ]; }

@test "the hub is killed and comes back: what was answered 202 is kept, all else can be sent again" {
	gw_tree
	for i in 1 2 3; do
		post "$ONE" "$(chat "a$i" x)"
		[ "$status_code" -eq 202 ]
		daemon_kill route
		post "$ONE" "$(chat "b$i" x)" -m 30
		[ "$status_code" -eq 503 ]
		gw_hub
		wait_until 10 accepted "b$i" x
	done
	[ "$(spooled | ids | sort | tr '\n' ' ')" = "a1 a2 a3 b1 b2 b3 " ]
}

# late ID: a request that waits for the hub, which is stopped; returns when gatewayd has it. $curl is its process.
late() {
	daemon_signal route STOP
	curl -s -m 20 --trace-ascii "$T/trace" -o "$T/body" -w '%{http_code}' -H "Content-Type: $ONE" -d "$(chat "$1" x)" "$URL/events" >"$T/code" 3>&- &
	curl=$!
	wait_for "$T/trace" '^=> Send data'
	# What was sent before this connection was made is read before this is answered.
	curl -s -o /dev/null "$URL/livez"
	curl -s -o /dev/null "$URL/livez"
}

@test "told to stop, it finishes the request that is open" {
	gw_tree
	late 1
	daemon_signal gw TERM
	wait_for "$T/gw.err" stopping
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$URL/livez")" = 000 ]
	daemon_signal route CONT
	wait "$curl"
	[ "$(cat "$T/code")" = 202 ]
	daemon_wait gw
	[ "$status" -eq 0 ]
	[ "$(spooled | ids)" = 1 ]
}

@test "told to stop with a hub that never answers, it ends in its time and answers 503" {
	gw_tree --drain-time 300ms
	late 1
	daemon_signal gw TERM
	daemon_wait gw
	daemon_signal route CONT
	[ "$status" -eq 0 ]
	wait "$curl"
	[ "$(cat "$T/code")" = 503 ]
}

@test "killed and started again on the same port, it takes events at once" {
	gw_tree
	post "$ONE" "$(chat 1 x)"
	daemon_kill gw
	gw_start
	post "$ONE" "$(chat 2 x)"
	[ "$status_code" -eq 202 ]
	[ "$(spooled | ids | tr '\n' ' ')" = "1 2 " ]
}

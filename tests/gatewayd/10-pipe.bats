bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

@test "gatewayd | jq is a program: a line comes as soon as it is there" {
	mkfifo "$T/lines"
	gatewayd -p 0 2>"$T/gw.err" >"$T/lines" 3>&- &
	DAEMON_PID[gw]=$!
	jq --unbuffered -r .data.text <"$T/lines" >"$T/texts" 3>&- &
	gw_url
	post "$ONE" "$(chat 1 'over the pipe')"
	[ "$status_code" -eq 202 ]
	wait_for "$T/texts" '^over the pipe$'
	post "$ONE" "$(chat 2 'and again')"
	wait_for "$T/texts" '^and again$'
	daemon_stop gw
	wait
}

@test "gatewayd | route | store: three programs on pipes" {
	mkfifo "$T/a" "$T/b"
	store -d "$T/history" <"$T/b" 2>"$T/store.err" 3>&- &
	route -r "$ROOT/share/rules" -D store <"$T/a" >"$T/b" 2>"$T/route.err" 3>&- &
	gatewayd -p 0 2>"$T/gw.err" >"$T/a" 3>&- &
	DAEMON_PID[gw]=$!
	gw_url
	for i in 1 2 3; do
		post "$ONE" "$(chat $i "text $i")"
		[ "$status_code" -eq 202 ]
	done
	daemon_stop gw
	wait
	run -0 store -x -d "$T/history"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[2]} == *'"text 3"'* ]]
}

@test "what a client of the chat says comes out, and is acknowledged; nothing comes back to the room" {
	gw_alone
	chat_js alone
	[ "$(jq -r .data.text "$T/gw.out")" = "said to a pipe" ]
	[ "$(jq -r .partitionkey "$T/gw.out")" = "browser:lobby" ]
}

@test "when the reader goes away, so does gatewayd, with code 1" {
	mkfifo "$T/lines"
	gatewayd -p 0 2>"$T/gw.err" >"$T/lines" 3>&- &
	DAEMON_PID[gw]=$!
	head -n 1 "$T/lines" >"$T/first" 3>&- &
	reader=$!
	gw_url
	post "$ONE" "$(chat 1 one)"
	wait "$reader"
	grep -q one "$T/first"
	post "$ONE" "$(chat 2 two)" || true
	daemon_wait gw
	[ "$status" -eq 1 ]
	grep -q 'standard output' "$T/gw.err"
}

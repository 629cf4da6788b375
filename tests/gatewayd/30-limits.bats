bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

@test "a body over the cap is refused before it is sent, and while it is sent" {
	gw_alone --max-body 10k --max-line 5k
	head -c 20000 /dev/zero | tr '\0' x >"$T/big"
	post "$ONE" "@$T/big"
	[ "$status_code" -eq 413 ]
	jq -e '.status == 413' "$T/body"
	post "$ONE" "@$T/big" -H 'Transfer-Encoding: chunked'
	[ "$status_code" -eq 413 ]
	post "$ONE" "$(chat 1 "$(head -c 6000 "$T/big")")"
	[ "$status_code" -eq 413 ]
	post "$ONE" "$(chat 2 "$(head -c 4000 "$T/big")")"
	[ "$status_code" -eq 202 ]
	post "$ONE" "$(head -c 100000000 /dev/zero | tr '\0' x | head -c 10)" -H 'Content-Length: 100000000' || true
	daemon_alive gw
}

@test "an event of a megabyte fits, one byte more does not" {
	gw_alone
	start='{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2020-01-01T00:00:00Z","traceparent":"x","data":"'
	{ printf '%s' "$start"; head -c $((1048576 - ${#start} - 2)) /dev/zero | tr '\0' x; printf '"}'; } >"$T/fits"
	[ "$(wc -c <"$T/fits")" -eq 1048576 ]
	post "$ONE" "@$T/fits"
	[ "$status_code" -eq 202 ]
	sed 's/x"}/xx"}/' "$T/fits" >"$T/not"
	post "$ONE" "@$T/not"
	[ "$status_code" -eq 413 ]
	cmp "$T/fits" <(head -c -1 "$T/gw.out")
}

@test "many large bodies at once: 503 for those that are too many" {
	gw_alone --max-bodies 1m
	head -c 700000 /dev/zero | tr '\0' x >"$T/part"
	for i in 1 2; do
		exec {fd[i]}<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 900000\r\n\r\n' >&"${fd[i]}"
		cat "$T/part" >&"${fd[i]}" 2>"$T/cat$i" || true	# the one that is refused may be closed in the middle of it
	done
	# One of the two is told to come back, the other goes on.
	got=
	wait_until 10 either
	[[ $got == "HTTP/1.1 503 "* ]]
	exec {fd[1]}>&- {fd[2]}>&-
	wait_until 10 small_one
}
# What a read that runs out of time has read is lost: only one that has something is read.
either() { { read -r -t 0 -u "${fd[1]}" && read -r -u "${fd[1]}" got; } || { read -r -t 0 -u "${fd[2]}" && read -r -u "${fd[2]}" got; }; }
small_one() { post "$ONE" "$(chat 1 x)"; [ "$status_code" -eq 202 ]; }

@test "too many events in a batch" {
	gw_alone --max-batch 3
	post "$MANY" '[1,2,3,4]'
	[ "$status_code" -eq 413 ]
}

@test "a head over 16 KiB or 100 fields: 431" {
	gw_alone
	big=$(head -c 17000 /dev/zero | tr '\0' x)
	run raw "GET / HTTP/1.1\r\nHost: localhost\r\nA: $big\r\n\r\n"
	[[ ${lines[0]} == "HTTP/1.1 431 "* ]]
	many=$(for i in {1..101}; do printf 'a%d: b\\r\\n' "$i"; done)
	run raw "GET / HTTP/1.1\r\nHost: localhost\r\n$many\r\n"
	[[ ${lines[0]} == "HTTP/1.1 431 "* ]]
}

@test "a head that comes too slowly: 408" {
	gw_alone --head-time 300ms
	run raw 'GET / HTTP/1.1\r\nHost:'
	[[ ${lines[0]} == "HTTP/1.1 408 "* ]]
	[[ $output == *'"status":408'* ]]
	# Says nothing at all: closed without a word.
	run raw ''
	[ -z "$output" ]
}

@test "one byte at a time does not keep a request open: 408" {
	gw_alone --body-time 500ms
	exec {s}<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 1000\r\n\r\n' >&"$s"
	drip() { for _ in {1..200}; do printf x >&"$s" || return 0; _pause; done; }
	drip 2>/dev/null 3>&- &
	drip=$!
	run timeout 10 cat <&"$s"
	[[ ${lines[0]} == "HTTP/1.1 408 "* ]]
	exec {s}>&-
	wait "$drip" || true
	daemon_alive gw
}

@test "an idle connection is closed after its time" {
	gw_alone --idle-time 200ms
	run raw 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'
	[[ $output == *"200 OK"*ok* ]]
}

@test "more connections than allowed are turned away with 503, and counted" {
	gw_alone --max-connections 3 -M "$T/metrics"
	for i in 1 2 3; do exec {fd[i]}<>"/dev/tcp/127.0.0.1/$PORT"; done
	for i in 1 2 3; do
		printf 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"${fd[i]}"
		read -r line <&"${fd[i]}"
		[[ $line == *200* ]]
	done
	run raw ''
	[[ ${lines[0]} == "HTTP/1.1 503 "* ]]
	[[ $output == *Retry-After* ]]
	exec {fd[1]}>&-
	wait_until 10 curl -sf -o /dev/null "$URL/livez"
}

@test "and of one address" {
	gw_alone --max-per-address 1
	exec {one}<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$one"
	read -r line <&"$one"
	[[ $line == *200* ]]
	run raw ''
	[[ $output == *"503 Service"*"from this address"* ]]
}

@test "no hub: 503 with Retry-After at once, and nothing is taken" {
	mkdir -p "$T/run"
	daemon_run gw gatewayd -p 0 -o "ipc://$T/run/in"
	gw_url
	curl -s -i -m 5 -H "Content-Type: $ONE" -d "$(chat 1 x)" "$URL/events" | tr -d '\r' >"$T/answer"
	grep -q '^HTTP/1.1 503' "$T/answer"
	grep -qE '^Retry-After: [0-9]+' "$T/answer"
	tail -n 1 "$T/answer" | jq -e '.status == 503 and (.detail | test("hub"))'
}

@test "a hub that does not answer: 503 in time; what it did take comes once" {
	gw_tree --ack-time 300ms --backlog 4 --max-batch 4
	daemon_signal route STOP
	post "$ONE" "$(chat 1 slow)"
	[ "$status_code" -eq 503 ]
	jq -e '.detail | test("same id")' "$T/body"
	# Those that wait for the hub fill the backlog; then there is no room.
	post "$MANY" "[$(chat 2 a | tr '\n' ,)$(chat 3 b | tr '\n' ,)$(chat 4 c)]"
	[ "$status_code" -eq 503 ]
	post "$ONE" "$(chat 5 d)"
	[ "$status_code" -eq 503 ]
	jq -e '.detail | test("behind")' "$T/body"
	daemon_signal route CONT
	wait_until 10 accepted 1 slow
	wait_until 10 accepted 5 d
	[ "$(spooled | ids | sort | tr '\n' ' ')" = "1 2 3 4 5 " ]
}
accepted() { post "$ONE" "$(chat "$1" "$2")"; [ "$status_code" -eq 202 ]; }

@test "many at once are gathered, and each gets its own answer" {
	gw_tree --max-per-address 300
	for i in $(seq 200); do printf 'next\nurl = "%s/events"\nheader = "Content-Type: %s"\ndata = "@%s"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' \
		"$URL" "$ONE" "$T/e$i"; chat "$i" "text $i" >"$T/e$i"; done | tail -n +2 >"$T/curls"
	curl -s --parallel --parallel-max 50 -K "$T/curls" >"$T/codes"
	[ "$(sort "$T/codes" | uniq -c | tr -s ' ')" = " 200 202" ]
	[ "$(spooled | ids | sort -n | uniq | wc -l)" -eq 200 ]
}

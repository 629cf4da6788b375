bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

@test "health: alive, and ready only with a hub" {
	mkdir -p "$T/run"
	daemon_run gw gatewayd -p 0 -o "ipc://$T/run/in" -b "ipc://$T/run/to-browser" -q "ipc://$T/run/query"
	gw_url
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$URL/livez")" = 200 ]
	[ "$(curl -s -o "$T/body" -w '%{http_code}' "$URL/readyz")" = 503 ]
	jq -e '.ready == false and .output == false and .browser == false' "$T/body"
	gw_hub
	wait_until 10 curl -sf -o "$T/body" "$URL/readyz"
	jq -e '.ready and .output and .browser and (.history | not)' "$T/body"
	gw_store
	wait_until 10 history_there
}

@test "health: not ready while the hub takes nothing" {
	mkdir -p "$T/run"
	echo 'all -> browser' >"$T/rules"
	daemon_run gw gatewayd -p 0 -o "ipc://$T/run/in" -b "ipc://$T/run/to-browser" -q "ipc://$T/run/query"
	gw_url
	daemon_start hub route -R "$T/run" -d "$T/spool" -r "$T/rules" --limit 1m
	wait_until 10 curl -sf -o "$T/body" "$URL/readyz"
	events 1 9000 | route -d "$T/other" -r "$T/rules" -i - --segment 300k
	daemon_stop hub
	mv "$T/spool" "$T/empty"
	mv "$T/other" "$T/spool"
	daemon_start hub route -R "$T/run" -d "$T/spool" -r "$T/rules" --limit 1m -k 1d
	wait_until 10 refused
	[ "$(curl -s -o "$T/body" -w '%{http_code}' "$URL/readyz")" = 503 ]
	jq -e '.ready == false and .output == false' "$T/body"
	# There is room again.
	daemon_stop hub
	rm -rf "$T/spool"
	daemon_start hub route -R "$T/run" -d "$T/spool" -r "$T/rules" --limit 1m
	wait_until 20 curl -sf -o "$T/body" "$URL/readyz"
}
refused() {
	event r x | curl -s -o "$T/answer" -H 'Content-Type: application/cloudevents+json' --data-binary @- "$URL/events"
	grep -q 'has reached its limit' "$T/answer"
}
history_there() { curl -s "$URL/readyz" | jq -e .history >/dev/null; }

@test "the page and its parts, with their headers" {
	gw_alone
	for path in / /chat.css /chat.js /icon.svg; do
		curl -s -D "$T/head" -o "$T/page" "$URL$path"
		tr -d '\r' <"$T/head" >"$T/h"
		grep -q '^HTTP/1.1 200' "$T/h"
		grep -qi "^content-security-policy: default-src 'self'" "$T/h"
		grep -qi '^x-content-type-options: nosniff' "$T/h"
		[ -s "$T/page" ]
		etag=$(sed -n 's/^ETag: //p' "$T/h")
		[ "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$URL$path")" = 304 ]
	done
	[ -z "$(curl -s "$URL/" | grep -E 'https?://' | grep -v w3.org)" ]
}

@test "HEAD is GET without a body" {
	gw_alone
	curl -s -I "$URL/chat.js" | tr -d '\r' >"$T/head"
	grep -q '^HTTP/1.1 200' "$T/head"
	[ "$(sed -n 's/^Content-Length: //p' "$T/head")" -eq "$(curl -s "$URL/chat.js" | wc -c)" ]
}

@test "wrong paths and methods are problems, with Allow" {
	gw_alone
	[ "$(curl -s -o "$T/body" -w '%{http_code} %{content_type}' "$URL/nowhere")" = "404 application/problem+json" ]
	jq -e '.status == 404 and (.type | startswith("urn:penstock:problem:")) and .title and .detail' "$T/body"
	curl -s -i "$URL/events" | tr -d '\r' >"$T/head"
	grep -q '^HTTP/1.1 405' "$T/head"
	grep -qx 'Allow: POST, OPTIONS' "$T/head"
	curl -s -i -X DELETE "$URL/" | tr -d '\r' >"$T/head"
	grep -q '^HTTP/1.1 405' "$T/head"
	grep -qx 'Allow: GET, HEAD' "$T/head"
	[ "$(curl -s -o "$T/body" -w '%{http_code}' "$URL/chat")" = 426 ]
}

@test "a chunked body, and one that waits for 100 Continue" {
	gw_alone
	chat 1 chunked | curl -s -f -H "Content-Type: $ONE" -H 'Transfer-Encoding: chunked' --data-binary @- "$URL/events"
	chat 2 "$(head -c 100000 /dev/zero | tr '\0' x)" >"$T/big"
	curl -s -v -f -m 10 --expect100-timeout 9 -H 'Expect: 100-continue' -H "Content-Type: $ONE" --data-binary "@$T/big" "$URL/events" 2>"$T/v"
	grep -q '100 Continue' "$T/v"
	wait_for "$T/gw.out" '"id":"2"'
	[ "$(ids "$T/gw.out" | tr '\n' ' ')" = "1 2 " ]
}

@test "two requests on one connection, and two sent at once" {
	gw_alone
	curl -s -v "$URL/livez" "$URL/livez" 2>&1 | grep -q 'Re-using'
	run raw 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	[ "$(grep -c '^HTTP/1.1' <<<"$output")" -eq 3 ]
	[[ $output == *"200 OK"*"200 OK"*"404 Not Found"* ]]
}

@test "HTTP/1.0 gets its answer and the end" {
	gw_alone
	run raw 'GET /livez HTTP/1.0\r\n\r\n'
	[[ $output == *"200 OK"*"Connection: close"*ok* ]]
}

@test "a name that is not this server's gets 421, unless it is told to answer to it" {
	gw_alone --host chat.example
	for host in localhost "127.0.0.1:$PORT" "chat.example:$PORT"; do
		[ "$(curl -s -o /dev/null -w '%{http_code}' -H "Host: $host" "$URL/livez")" = 200 ]
	done
	# What a page of evil.example sends once its name points here.
	run -0 curl -s -i -H 'Host: evil.example' -H 'Origin: http://evil.example' "$URL/chat"
	[[ $output == *"421 Misdirected Request"*application/problem+json*evil.example* ]]
	run -0 curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' -H 'Content-Type: application/cloudevents+json' \
		-d '{"specversion":"1.0","id":"1","source":"/e","type":"t"}' "$URL/events"
	[ "$output" = 421 ]
	[ ! -s "$T/gw.out" ]
}

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

@test "structured: acknowledged when the hub has it, and stored with its own bytes" {
	gw_tree
	line='{"specversion":"1.0", "id":"e1","source":"/s","type":"note","time":"2020-01-01T00:00:00Z","traceparent":"x","data":{"n":1.10}}'
	post "$ONE" "$line"
	[ "$status_code" -eq 202 ]
	[ "$body" = '{"accepted":1}' ]
	[ "$(spooled)" = "$line" ]
	wait_until 10 store_has "$line"
}

store_has() { store -x -d "$T/history" 2>/dev/null | grep -qxF -- "$1"; }

@test "time and traceparent are added, and spread-out JSON becomes one line" {
	gw_tree
	post "$ONE; charset=utf-8" '{
	"specversion": "1.0", "id": "e1", "source": "/s", "type": "note",
	"data": { "text": "a  b\n" }
}'
	[ "$status_code" -eq 202 ]
	spooled >"$T/line"
	[ "$(wc -l <"$T/line")" -eq 1 ]
	jq -e '.data.text == "a  b\n" and (.time | test("^20..-..-..T..:..:.....Z?")) and (.traceparent | test("^00-[0-9a-f]{32}-[0-9a-f]{16}-03$"))' "$T/line"
}

@test "binary: attributes from headers, data from the body" {
	gw_tree
	post application/json '{"load": 0.7}' -H 'ce-specversion: 1.0' -H 'ce-id: b1' -H 'ce-source: /s' -H 'ce-type: load' \
		-H 'ce-subject: Gr%C3%BC%C3%9Fe%20100%25' -H 'CE-MyExtension: x y'
	[ "$status_code" -eq 202 ]
	post application/octet-stream abc -H 'ce-specversion: 1.0' -H 'ce-id: b2' -H 'ce-source: /s' -H 'ce-type: load'
	[ "$status_code" -eq 202 ]
	spooled >"$T/lines"
	jq -se '.[0] | .data.load == 0.7 and .subject == "Grüße 100%" and .myextension == "x y" and .datacontenttype == "application/json"' "$T/lines"
	jq -se '.[1] | .data_base64 == "YWJj"' "$T/lines"
}

@test "batched: all of it in one answer" {
	gw_tree
	post "$MANY" "[$(chat 1 a | tr '\n' ,)$(chat 2 b | tr '\n' ,)$(chat 3 c)]"
	[ "$status_code" -eq 202 ]
	[ "$body" = '{"accepted":3}' ]
	[ "$(spooled | ids | tr '\n' ' ')" = "1 2 3 " ]
	post "$MANY" '[]'
	[ "$status_code" -eq 202 ]
	[ "$body" = '{"accepted":0}' ]
}

@test "a batch with bad events: the good ones are accepted, the others are named" {
	gw_tree
	post "$MANY" "[$(chat 1 a | tr '\n' ,){\"id\":\"x\"},$(chat 3 c | tr '\n' ,)7]"
	[ "$status_code" -eq 422 ]
	jq -e '.accepted == 2 and [.refused[].index] == [1, 3] and .refused[0].attribute == "specversion" and .refused[0].retry == false' "$T/body"
	[ "$(spooled | ids | tr '\n' ' ')" = "1 3 " ]
}

@test "the same event twice is accepted twice and kept once" {
	gw_tree
	for _ in 1 2; do
		post "$ONE" "$(chat 1 again)"
		[ "$status_code" -eq 202 ]
	done
	[ "$(spooled | wc -l)" -eq 1 ]
}

@test "another tenant's events are refused, or taken with --any-tenant" {
	gw_tree -t t1
	post "$ONE" "$(chat 1 a ann lobby t1)"
	[ "$status_code" -eq 202 ]
	post "$ONE" "$(chat 2 a ann lobby t2)"
	[ "$status_code" -eq 422 ]
	[ "$(jq -r .attribute "$T/body")" = tenant ]
	post "$ONE" "$(event 3 note)"
	[ "$status_code" -eq 202 ]
	spooled | jq -se '[.[].tenant] == ["t1", "t1"]'
	daemon_stop gw
	gw_start --any-tenant
	post "$ONE" "$(chat 4 a ann lobby t2)"
	[ "$status_code" -eq 202 ]
}

@test "the webhook handshake" {
	gw_alone --webhook-rate 120
	curl -s -i -X OPTIONS -H 'WebHook-Request-Origin: sender.example' -H 'WebHook-Request-Rate: 500' "$URL/events" | tr -d '\r' >"$T/head"
	grep -q '^HTTP/1.1 204' "$T/head"
	grep -qx 'WebHook-Allowed-Origin: sender.example' "$T/head"
	grep -qx 'WebHook-Allowed-Rate: 120' "$T/head"
	grep -qx 'Allow: POST, OPTIONS' "$T/head"
	curl -s -i -X OPTIONS -H 'Origin: https://elsewhere.example' -H 'Access-Control-Request-Method: POST' "$URL/events" >"$T/head"
	not grep -qi 'access-control' "$T/head"
	not grep -qi 'webhook-allowed' "$T/head"
}

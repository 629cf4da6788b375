bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load gateway

# problem STATUS SLUG JQ: what the last answer was
problem() {
	[ "$status_code" -eq "$1" ] || { echo "status $status_code: $body" >&2; return 1; }
	jq -e --arg t "urn:penstock:problem:$2" ".status == $1 and .type == \$t and ($3)" "$T/body" >/dev/null || { echo "$body" >&2; return 1; }
}

@test "malformed JSON is refused with its place" {
	gw_alone
	post "$ONE" '{"specversion":"1.0",
"id": nope}'
	problem 400 bad-json '.line == 2 and .column == 7 and .offset == 28'
	post "$ONE" '{"specversion":"1.0"'
	problem 400 bad-json '.offset == 20'
	post "$ONE" ''
	problem 400 bad-json '.offset == 0'
	post "$MANY" '[{},]'
	problem 400 bad-json '.offset == 4'
	[ ! -s "$T/gw.out" ]
}

@test "bytes that are not UTF-8, lone surrogates, NUL, a byte order mark" {
	gw_alone
	post "$ONE" "$(printf '{"id":"\xff"}')"
	problem 400 bad-json '.offset == 7'
	post "$ONE" '{"id":"\ud800"}'
	problem 400 bad-json '.detail | test("surrogate")'
	post "$ONE" "$(printf '\xef\xbb\xbf{}')"
	problem 400 bad-json '.offset == 0'
	post "$ONE" "$(chat 1 x | sed 's|"/test"|"a\\u0000b"|')"
	problem 422 bad-event '.attribute == "source"'
	printf '{"id":"a\0b"}' >"$T/nul"
	post "$ONE" "@$T/nul"
	problem 400 bad-json '.offset == 8'
	[ ! -s "$T/gw.out" ]
}

@test "each rule of the envelope names its attribute" {
	gw_alone
	while IFS='|' read -r attribute change; do
		post "$ONE" "$(chat 1 x | jq -c "$change")"
		problem 422 bad-event ".attribute == \"$attribute\""
	done <<-'EOT'
		id|del(.id)
		id|.id = ""
		source|del(.source)
		type|.type = 7
		specversion|.specversion = "0.3"
		time|.time = "yesterday"
		notbefore|.notbefore = "soon"
		tenant|.tenant = "No"
		extra|.extra = {}
		big|.big = 4294967296
		bad_name|.bad_name = "x"
		data_base64|del(.data) | .data_base64 = "%%%"
	EOT
	[ ! -s "$T/gw.out" ]
}

@test "a known type must have its data fields" {
	gw_alone
	post "$ONE" "$(chat 1 x | jq -c 'del(.data.text)')"
	problem 422 bad-data '.attribute == "data.text"'
	post "$ONE" "$(chat 1 x | jq -c '.data.user.id = 7')"
	problem 422 bad-data '.attribute == "data.user.id"'
}

@test "binary mode names the header" {
	gw_alone
	h=(-H 'ce-specversion: 1.0' -H 'ce-source: /s' -H 'ce-type: t')
	post text/plain x "${h[@]}"
	problem 400 no-event '.header == "ce-id"'
	post text/plain x "${h[@]}" -H 'ce-id: 1' -H 'ce-a: %C0%80'
	problem 400 bad-header '.header == "ce-a"'
	post text/plain x "${h[@]}" -H 'ce-id: 1' -H 'ce-time: noon'
	problem 422 bad-event '.header == "ce-time" and .attribute == "time"'
	post application/json '{' "${h[@]}" -H 'ce-id: 1'
	problem 400 bad-json '.offset == 1'
}

@test "formats and codings that are not understood" {
	gw_alone
	post application/cloudevents+xml '<event/>'
	problem 415 unsupported-format '.header == "content-type"'
	post "$ONE" x -H 'Content-Encoding: gzip'
	problem 415 unsupported-coding '.header == "content-encoding"'
	post application/x-www-form-urlencoded a=b
	problem 400 no-event '.header == "ce-id"'
}

@test "a malformed request is answered, and the connection closed; nothing behind it is taken for another request" {
	gw_alone
	next='GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'
	while IFS='|' read -r code request; do
		run raw "$request$next"
		[[ ${lines[0]} == "HTTP/1.1 $code "* ]] || { echo "$request: $output" >&2; return 1; }
		[ "$(grep -c '^HTTP/1.1' <<<"$output")" -eq 1 ]
		[[ $output == *'"status":'"$code"* ]]
	done <<-'EOT'
		400|GET /\r\n\r\n
		400|GET / HTTP/1.1\r\n\r\n
		400|GET / HTTP/1.1\nHost: localhost\n\r\n\r\n
		400|POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n
		400|POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n
		501|POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n
		505|GET / HTTP/3.0\r\nHost: localhost\r\n\r\n
		417|POST /events HTTP/1.1\r\nHost: localhost\r\nExpect: cake\r\nContent-Length: 1\r\n\r\n
		400|POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n
		400|GET / HTTP/1.1\r\nHost: localhost\r\n folded: y\r\n\r\n
	EOT
	run raw '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'
	[[ ${lines[0]} == "HTTP/1.1 400 "* ]]
	daemon_alive gw
}

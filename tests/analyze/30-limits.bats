load ../lib/daemon
load ../lib/line
export PENSTOCK_SHARE=$ROOT/share

@test "a message of the largest line" {
	head -c 1000000 /dev/zero | tr '\0' 'a' >"$T/a"
	{ printf '{"specversion":"1.0","id":"1","source":"/t","type":"chat.message","data":{"channel":{"id":"c"},"user":{"id":"u"},"text":"love love '; cat "$T/a"; printf '"}}\n'; } >"$T/in"
	analyze <"$T/in" | tail -n 1 | jq -e '.id == "1.analyze" and .data.top == "love"'
}

@test "memory stays flat over 100,000 messages" {
	# A sanitizer keeps what was freed for a while; here that would look like growth.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1
	events 1 1000 >"$T/some"
	events 1 100000 >"$T/many"
	few=$(/usr/bin/time -f %M analyze <"$T/some" 2>&1 >/dev/null | tail -n 1)
	lots=$(/usr/bin/time -f %M analyze <"$T/many" 2>&1 >/dev/null | tail -n 1)
	echo "$few KiB, $lots KiB"
	[ "$lots" -lt $((few + 8192)) ]
}

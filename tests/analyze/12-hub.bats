load ../lib/daemon
load ../lib/line
export PENSTOCK_SHARE=$ROOT/share

# route and analyze over ipc: what is put on `in` is judged, and what was made of it comes back into the spool.
setup() {
	mkdir "$T/run"
	printf 'type == "chat.message" -> analyze\n' >"$T/rules"
	cd "$T"
}

put() { nngcat --req --dial "ipc://$T/run/in" --file "$1" --ascii 2>&1; }

@test "messages are judged through the hub, in order within a room" {
	daemon_start route route -R run -d spool -r rules
	daemon_start analyze analyze -i ipc://run/to-analyze -o ipc://run/in
	{ chat 1 'I love it'; chat 2 '!ping'; chat 3 'so sad'; chat 4 'thank you'; } >in
	run put in
	[[ "$output" == *'"ack":4'* ]]
	wait_until 10 grep -aq '"id":"4.analyze"' spool/*.ndjson
	[ "$(grep -aho '"id":"[^"]*.analyze"' spool/*.ndjson | tr '\n' ' ')" = '"id":"1.analyze" "id":"3.analyze" "id":"4.analyze" ' ]
	daemon_stop analyze
	daemon_stop route
}

@test "killed in the middle of 4,000 messages, again and again: each is judged exactly once" {
	daemon_start route route -R run -d spool -r rules
	daemon_start analyze analyze -i ipc://run/to-analyze -o ipc://run/in
	for i in 1 2 3 4 5; do
		events $((i * 1000)) $((i * 1000 + 799)) 20 1 >in
		run put in
		[[ "$output" == *'"ack":800'* ]]
		wait_until 20 grep -aq "\"id\":\"e-$((i * 1000))[0-9]*.analyze\"" spool/*.ndjson
		daemon_kill analyze
		daemon_start analyze analyze -i ipc://run/to-analyze -o ipc://run/in
	done
	all_judged() { [ "$(grep -aho '"id":"e-[0-9]*.analyze"' spool/*.ndjson | wc -l)" -ge 4000 ]; }
	wait_until 30 all_judged
	daemon_stop analyze
	daemon_stop route
	[ "$(grep -aho '"id":"e-[0-9]*.analyze"' spool/*.ndjson | sort | uniq -d | wc -l)" -eq 0 ]
	[ "$(grep -aho '"id":"e-[0-9]*.analyze"' spool/*.ndjson | wc -l)" -eq 4000 ]
}

load ../lib/daemon
load ../lib/line

# route and respond over ipc: what is put on `in` comes back answered at a destination of its own.
setup() {
	mkdir "$T/r" "$T/run"
	cp "$ROOT/share/replies.conf" "$T/r/default.conf"
	printf 'type in ("chat.message", "analysis.emotion") -> respond\ntype == "message.send" -> out\n' >"$T/rules"
	cd "$T"
}

put() { nngcat --req --dial "ipc://$T/run/in" --file "$1" --ascii 2>&1; }
taken() { nngcat --req --dial "ipc://$T/run/to-out" --data '{"take":4000,"as":"test"}' --ascii --recv-maxsz 6291456; }

@test "a chat is answered through the hub, in order within a room" {
	daemon_start route route -R run -d spool -r rules
	daemon_start respond respond -i ipc://run/to-respond -o ipc://run/in -r r -M m
	{ chat 1 '!ping'; chat 2 'nothing'; emotion 3 sadness 0.95; chat 4 '!hug bob'; } >in
	run put in
	[[ "$output" == *'"ack":4'* ]]
	wait_until 10 grep -aq '"id":"4.respond"' spool/*.ndjson
	[ "$(grep -aho '"id":"[^"]*.respond"' spool/*.ndjson | tr '\n' ' ')" = '"id":"1.respond" "id":"3.analyze.respond" "id":"4.respond" ' ]
	daemon_stop respond
	daemon_stop route
}

@test "respond may come before the hub, and die: nothing is answered twice, nothing not at all" {
	daemon_run respond respond -i ipc://run/to-respond -o ipc://run/in -r r
	daemon_start route route -R run -d spool -r rules
	for i in 1 2 3 4 5; do
		events $((i * 1000)) $((i * 1000 + 799)) 20 1 | sed 's/"text":"message/"text":"hello/' >in
		run put in
		[[ "$output" == *'"ack":800'* ]]
		wait_until 20 grep -aq "\"id\":\"e-$((i * 1000))[0-9]*.respond\"" spool/*.ndjson
		daemon_kill respond
		daemon_start respond respond -i ipc://run/to-respond -o ipc://run/in -r r
	done
	all_answered() { [ "$(grep -aho '"id":"e-[0-9]*.respond"' spool/*.ndjson | wc -l)" -ge 4000 ]; }
	wait_until 30 all_answered
	daemon_stop respond
	daemon_stop route
	[ "$(grep -aho '"id":"e-[0-9]*.respond"' spool/*.ndjson | sort | uniq -c | awk '$1 != 1' | wc -l)" -eq 0 ]
	[ "$(grep -aho '"id":"e-[0-9]*.respond"' spool/*.ndjson | wc -l)" -eq 4000 ]
}

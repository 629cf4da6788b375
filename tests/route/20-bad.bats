# Bad lines, bad batches, bad questions: an answer that names the place, and the hub goes on.
load hub

@test "bad lines are refused with number and offset, the good ones of the batch are kept" {
	hub
	(events 1 2; echo rubbish; event x chat.message; events 3 3; echo; echo '{"specversion":"1.0","id":"a","id":"b","source":"s","type":"t"}') > in
	run -0 ask in "$(cat in)
"
	[[ "$output" == *'"ack":3'* ]]
	for n in 3 4 6 7; do [[ "$output" == *"\"n\":$n,"* ]] || { echo "no $n in $output"; return 1; }; done
	[[ "$output" == *'byte 0:'* ]]
	[[ "$output" != *'"retry":true'* ]]
	spooled | cmp - <(events 1 3)
}

@test "each kind of fault has its reason; none of them is kept" {
	hub
	good='"specversion":"1.0","id":"i","source":"s","type":"t"'
	n=0
	while read -r line; do
		n=$((n + 1))
		run -0 put <<<"$line"
		[[ "$output" == "acked 0 refused 1 [1 byte "* ]] || { echo "$line: $output"; return 1; }
	done <<-END
		{$good
		[]
		{$good,"data":{"a":1,"a":2}}
		{$good,"data":"\\ud800"}
		{$good,"data":01}
		{$good,"data":nul}
		{$good,"time":"yesterday"}
		{$good,"notbefore":"2026-13-01T00:00:00Z"}
		{$good,"tenant":"../etc"}
		{$good,"Upper":"x"}
		{$good,"_commit":"x"}
		{"_commit":{"seq":1,"n":0,"bytes":0,"gen":1,"crc":"00000000"}}
		{"specversion":"0.3","id":"i","source":"s","type":"t"}
		{"specversion":"1.0","id":"","source":"s","type":"t"}
		{"specversion":"1.0","id":"i","source":"s"}
		{$good} {$good}
		{$good,"data":$(printf '[%.0s' {1..200})$(printf ']%.0s' {1..200})}
	END
	[ "$n" -eq 17 ]
	printf '{%s,"data":"\xff"}\n' "$good" | put | grep -q 'acked 0 refused 1'
	printf '{%s,"data":"a\0b"}\n' "$good" | put | grep -q 'acked 0 refused 1'
	[ -z "$(spooled)" ]
	chat fine hello | put | grep -q 'acked 1 refused 0'
}

@test "a line over 1 MiB is refused, one of 1 MiB is kept and delivered" {
	hub
	event big t > frame
	pad=$((1048576 - $(wc -c < frame) + 1 - 8))
	(printf '{"specversion":"1.0","id":"big","source":"/test","type":"t","data":{"x":"'; head -c $pad /dev/zero | tr '\0' x; printf '"}}\n') > max
	size=$(($(wc -c < max) - 1))
	(printf '{"specversion":"1.0","id":"big2","source":"/test","type":"t","data":{"x":"'; head -c $((pad + 1048576 - size)) /dev/zero | tr '\0' x; printf '"}}\n') > over
	run -0 put < max
	[ "$output" = "acked 1 refused 0" ]
	run -0 put < over
	[[ "$output" == "acked 0 refused 1"* ]]
	take store 256 1 | cmp - max
}

@test "what is no batch costs its sender the connection, not the hub" {
	hub
	run ask in 'half a line' 2000
	[ "$status" -ne 0 ]
	wait_for hub.err 'each ended by a line feed'
	run ask in "$(printf '\n%.0s' {1..5000})x" 2000
	[ "$status" -ne 0 ]
	chat fine hello | put | grep -q 'acked 1 refused 0'
}

@test "a question that is none is answered with an error" {
	hub
	for q in 'rubbish' '{}' '{"take":-1}' '{"take":"all"}' '[]' '{"take":1'; do
		run -0 ask to-store "$q"
		[[ "$output" == *error* ]] || { echo "$q: $output"; return 1; }
	done
	run -0 ask to-store '{"done":"x","refused":[{"n":4096,"error":"e","retry":false}],"as":"w"}'
	[ "$output" = '{"ok":true}' ]
}

@test "refused for good: to the dead letters with the reason, the lane goes on" {
	hub
	(chat a one; chat b 'a "bad" one'; chat c three) > want
	put < want
	daemon_run w "$P" work ipc://run/to-store none refuse
	wait_until 10 has store delivered 2
	daemon_stop w
	[ "$(wc -l < spool/dead/store.ndjson)" -eq 1 ]
	grep -Eq '^\{"dead":\{"dest":"store","seq":[0-9]+,"attempts":1,"error":".+","at":"20..-.*Z"\},"line":"\{\\"specversion\\".*bad.*"\}$' spool/dead/store.ndjson
	[ "$(cursor store dead)" = 1 ]
	[ "$(cursor store delivered)" = 2 ]
	daemon_stop hub
	hub
	[ "$(ask to-store '{"take":1,"as":"w"}' 300 2>&1 | grep -c specversion)" -eq 0 ]
}

@test "refused with retry: given again after a while, others of the lane wait meanwhile" {
	hub
	chat x later | put
	: > mark
	daemon_start sink "$P" server ipc://made lines
	daemon_run w "$P" work ipc://run/to-store ipc://made retry
	# A refusal moves nothing, but the cursor is written: its file is new.
	wait_until 10 eval '[ spool/cursor/store -nt mark ]'
	(chat y second; chat z other ann elsewhere) | put
	wait_until 15 has store delivered 3
	daemon_stop w
	daemon_stop sink
	[ "$(grep '^{' sink.out | grep -o '"ID":"[XYZ]"' | grep -v Z | tr -d '\n')" = '"ID":"X""ID":"Y"' ]
	[ ! -s spool/dead/store.ndjson ]
}

@test "refused with retry too often: to the dead letters after --attempts" {
	hub --attempts 2
	(chat x later; chat y second) | put
	daemon_run w "$P" work ipc://run/to-store none retry
	wait_until 15 has store dead 1
	daemon_stop w
	grep -q '"attempts":2,' spool/dead/store.ndjson
	[ "$(wc -l < spool/dead/store.ndjson)" -eq 1 ]
	[ "$(cursor store delivered)" = 1 ]
}

@test "dead letters that cannot be written: the line stays until they can" {
	hub
	rmdir spool/dead
	: > spool/dead
	chat b bad | put
	daemon_run w "$P" work ipc://run/to-store none refuse
	wait_for hub.err 'dead/store.ndjson: Not a directory'
	[ "$(cursor store dead)" = 0 ]
	rm spool/dead
	mkdir spool/dead
	wait_until 15 has store dead 1
	daemon_stop w
	[ "$(wc -l < spool/dead/store.ndjson)" -eq 1 ]
}

@test "a report that refuses a line which the batch does not have settles nothing" {
	hub
	events 1 3 | put
	batch=$(ask to-store '{"take":3,"as":"x"}' | head -n 1 | sed 's/.*"batch":"\([^"]*\)".*/\1/')
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"x\",\"refused\":[{\"n\":4,\"error\":\"e\"}]}"
	# The connection that took it is gone: this report is a late one.
	[ "$(cursor store delivered)" = 0 ]
	daemon_run deal nngcat --req --dial ipc://run/to-store --data '{"take":3,"as":"y"}' --raw --interval 60
	wait_for deal.out '"batch":'
	batch=$(sed -n 's/^{"batch":"\([^"]*\)".*/\1/p' deal.out)
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"x\",\"refused\":[{\"n\":4,\"error\":\"e\"}]}"
	[[ "$output" == '{"error":"refused names a line'* ]]
	[ "$(cursor store delivered)" = 0 ]
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"x\"}"
	[ "$(cursor store delivered)" = 3 ]
	daemon_signal deal KILL
	daemon_wait deal
}

@test "-D and -t refuse an empty line like any other bad one" {
	echo 'all -> store' > rules
	(events 1 1; echo; events 2 2) > in
	run -1 --separate-stderr route -L text -r rules -D store < in
	[ "$output" = "$(events 1 2)" ]
	[[ "$stderr" == *"standard input, line 2 refused: byte 0: the line is empty"* ]]
	run -1 route -t -r rules < in
	[ "${lines[1]}" = $'-\trefused: line 2, byte 0: the line is empty' ]
	[ "${#lines[@]}" -eq 3 ]
}

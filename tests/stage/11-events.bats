# What becomes of the lines that a program writes: completed, passed on, sent to the log.
load stage

bot='if .type == "penstock.sync" then . else {type: "message.send", data: {text: .data.text}} end'

@test "an event without an envelope gets its cause's, in every mode" {
	printf '%s\n' '{"specversion":"1.0","id":"m1","source":"/s","type":"chat.message","tenant":"t9","partitionkey":"k","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"text":"a"}}' > in
	chat m2 b >> in
	for mode in $MODES; do
		run_stage -a "$mode" -s bot -- jq -c --unbuffered "$bot" < in
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -eq 2 ]
		jq -e '.specversion == "1.0" and .id == "m1.bot" and .source == "/s" and .tenant == "t9" and .partitionkey == "k"
			and .causationid == "m1" and (.traceparent | startswith("00-0af7651916cd43dd8448eb211c80319c-"))
			and (.traceparent | contains("b7ad6b7169203331") | not) and .data.text == "a"' <<< "${lines[0]}"
		jq -e '.id == "m2.bot" and .tenant == "default" and .causationid == "m2"' <<< "${lines[1]}"
		# The same work makes the same events, whatever the mode.
		[ "$output" = "${before:=$output}" ]
	done
}

@test "causationid names the cause; a second event of one cause is another event" {
	events 1 20 > in
	run_stage -a sync -s two -- jq -c --unbuffered 'if .type == "penstock.sync" then . else
		{type: "x.a", causationid: .id}, {type: "x.b", causationid: .id} end' < in
	[ "$status" -eq 0 ]
	[ "$(ids <<< "$output")" = "$(for i in {1..20}; do echo "e-$i.two"; echo "e-$i.two.1"; done)" ]
	not grep -q 'one line at a time' log
}

@test "what an event has stays" {
	chat m1 a > in
	run_stage -a line -- jq -c --unbuffered '{type: "x.a", id: "own", source: "/own", tenant: "t5", partitionkey: "pk", causationid: "c", specversion: "1.0"}' < in
	[ "$status" -eq 0 ]
	[ "$output" = '{"type":"x.a","id":"own","source":"/own","tenant":"t5","partitionkey":"pk","causationid":"c","specversion":"1.0"}' ]
}

@test "nothing to say: an empty line, null, an empty string" {
	events 1 3 > in
	for say in 'echo' 'echo null' "echo '\"\"'"; do
		run_stage -a line -- sh -c "while read -r l; do $say; done" < in
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "what is no event goes to the log" {
	events 1 3 > in
	for mode in $MODES; do
		run_stage -a "$mode" -- sh -c 'echo starting; while read -r l; do echo "thinking"; echo "$l"; echo oops >&2; done' < in
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat in)" ]
		[ "$(grep -c 'stdout, no event): thinking' log)" -ge 3 ]
		[ "$(grep -c ': oops' log)" -ge 3 ]
	done
}

@test "what begins as an event and is none goes to the log, too, and answers nothing" {
	events 1 3 > in
	for mode in $MODES; do
		run_stage -a "$mode" -- python3 -uc '
import sys
print({"type": 1})
for line in sys.stdin:
    print("{broken")
    print("{\"level\":\"info\"}")
    print(line, end="")' < in
		[ "$status" -eq 0 ] || { cat log; false; }
		[ "$output" = "$(cat in)" ]
		grep -q "stdout, no event): {'type': 1}" log
		[ "$(grep -c 'stdout, no event): {broken' log)" -ge 3 ]
	done
	# With nothing else it is done, but for the mode that wants an answer.
	for mode in eof sync line; do
		run_stage -a "$mode" -- sed -u '/penstock.sync/!s/.*/{broken/' < in
		[ -z "$output" ]
		grep -q 'stdout, no event): {broken' log
		[ "$mode:$status" = line:1 ] || [ "$status" -eq 0 ] || { cat log; false; }
	done
	grep -Eq 'had not answered the line|is no program for -a line' log
}

@test "an event that cannot be completed is refused, with what is missing and what to do" {
	events 1 9 > in
	for mode in $MODES; do
		run_stage -a "$mode" -s b -- jq -c --unbuffered 'if .id == "e-5" then {data: {}} else . end' < in
		[ "$status" -eq 1 ]
		[ "$output" = "$(grep -v '"e-5"' in)" ]
		grep -q 'line refused: the program.s output has no type: print "type".*"e-5"' log
		run_stage -a "$mode" -s b -- jq -c --unbuffered 'if .id == "e-5" then {type: "x", id: "a", source: "b", tenant: "Not/One"} else . end' < in
		[ "$status" -eq 1 ]
		[ "$output" = "$(grep -v '"e-5"' in)" ]
		grep -q 'line refused: .*tenant must match.*: {"type":"x","id":"a",.*; the line: .*"e-5"' log
	done
}

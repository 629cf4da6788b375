# Rules: what they say, trying them, changing them under way.
load hub
load disk

@test "every predicate answers as data/pred.tsv says, and every predicate has rows" {
	echo beta > flags
	while IFS=$'\t' read -r kind expr line want; do
		[ -n "$kind" ] && [[ "$kind" != \#* ]] || continue
		printf '%s -> yes\n' "$expr" > rules
		got=$(route -t -r rules <<<"$line" | cut -f 2)
		[ "$want" = yes ] || want=-
		[ "$got" = "$want" ] || { echo "$kind: $expr on $line: $got"; return 1; }
	done < "$BATS_TEST_DIRNAME/data/pred.tsv"
	for f in "$ROOT"/src/route/pred/*.c; do
		name=$(basename "$f" .c)
		case $name in index | value) continue ;; esac
		[ "$(grep -c "^$name	.*	yes$" "$BATS_TEST_DIRNAME/data/pred.tsv")" -ge 1 ] || { echo "no row with yes for $name"; return 1; }
		[ "$(grep -c "^$name	.*	no$" "$BATS_TEST_DIRNAME/data/pred.tsv")" -ge 1 ] || { echo "no row with no for $name"; return 1; }
	done
}

@test "-t says where each line would go, or why it is refused" {
	cat > rules <<-'END'
		# the default
		all -> store
		type == "chat.message" -> analyze, respond, browser
		type in ("analysis.emotion", "message.send") -> browser
		tenant == "t001" and data.text ^= "!" -> commands stop
		tenant == "t001" -> never
	END
	(chat a hello; chat 'b"ä' '!help' ann lobby t001; emotion a joy 0.9; event c odd; echo '{"x":1}'; printf 'half') > in
	run -1 route -t -r rules < in
	[ "${lines[0]}" = $'a\tstore,analyze,respond,browser' ]
	[ "${lines[1]}" = $'b"ä\tstore,analyze,respond,browser,commands' ]
	[ "${lines[2]}" = $'a.analyze\tstore,browser' ]
	[ "${lines[3]}" = $'c\tstore' ]
	[[ "${lines[4]}" == $'-\trefused: line 5, byte '* ]]
	[[ "${lines[5]}" == $'-\trefused: line 6, byte '* ]]
	echo 'type == "none" -> x' > rules
	run -0 route -t -r rules <<<"$(chat a x)"
	[ "$output" = $'a\t-' ]
	echo 'type == "none -> x' > rules
	run -1 route -t -r rules <<<"$(chat a x)"
	[[ "$output" == *"rules:1:9:"* ]]
}

@test "the rules that are delivered with penstock are good" {
	chat a x | route -t -r "$ROOT/share/rules"
}

@test "a percentage takes its share of the conversations, always the same ones" {
	printf '25%% -> a\n75%% -> b\nnot 25%% -> c' > rules
	events 1 4000 2000 > in
	route -t -r rules < in > first
	route -t -r rules < in | cmp - first
	n=$(cut -f 2 first | grep -c '^a')
	[ "$n" -gt 800 ]
	[ "$n" -lt 1200 ]
	# Who is in 25% is in 75%; who is not is in the rest; both lines of a room go the same way.
	run -1 grep -E $'\ta(,c)?$' first
	paste <(head -n 2000 first | cut -f 2) <(tail -n 2000 first | cut -f 2) | awk -F '\t' '$1 != $2 { exit 1 }'
}

@test "HUP puts changed rules in force from a line on; old lines go as was decided" {
	echo 'all -> store' > rules
	hub
	events 1 10 | put
	printf 'type == "chat.message" -> store, extra' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 2 in force from line'
	events 11 20 | put
	[ "$(ls spool/*.ndjson | wc -l)" -eq 2 ]
	take extra 256 1 | cmp - <(events 11 20)
	take store 256 1 | cmp - <(events 1 20)
	wait_until 5 has extra delivered 10
	daemon_kill hub
	hub
	[ "$(cursor extra pending)" = 0 ]
	cmp spool/rules/1 - <<<'all -> store'
}

@test "rules with an error are refused with their place; the old ones stay" {
	hub
	echo 'all -> ' > rules
	daemon_signal hub HUP
	wait_for hub.err 'rules:1:8: expected a destination'
	wait_for hub.err 'the old rules stay'
	events 1 3 | put
	take store 256 1 | cmp - <(events 1 3)
	rm rules
	daemon_signal hub HUP
	wait_for hub.err 'rules: No such file'
	chat x y | put
}

@test "a destination that the rules no longer name is kept until it is done, then closed" {
	echo 'all -> store, old' > rules
	hub
	events 1 10 | put
	echo 'all -> store' > rules
	daemon_signal hub HUP
	wait_for hub.err 'destination old is no longer in the rules and has 10 lines pending'
	events 11 12 | put
	daemon_stop hub
	hub
	take old 256 1 | cmp - <(events 1 10)
	wait_for hub.err 'destination old: no longer in the rules, nothing left: closed'
	[ ! -e run/to-old ]
	[ ! -e spool/cursor/old ]
}

@test "a destination that comes back has what was for it" {
	echo 'all -> store, a' > rules
	hub
	events 1 5 | put
	echo 'all -> store' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 2'
	events 6 10 | put
	echo 'all -> store, a' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 3'
	events 11 15 | put
	take a 256 1 > got
	(events 1 5; events 11 15) | cmp - got
}

@test "unchanged rules begin no generation, over a restart neither" {
	hub
	daemon_signal hub HUP
	wait_for hub.err 'unchanged \(generation 1\)'
	daemon_stop hub
	hub
	[ "$(ls spool/rules)" = 1 ]
}

@test "reload answers with the generation and the line from which on it holds, or with the place of the fault" {
	hub
	events 1 3 | put
	ask control '{"do":"reload"}' | jq -e '.ok and .generation == 1 and .changed == false'
	printf 'type == "chat.message" -> store\nall -> late\n' > rules
	ask control '{"do":"reload"}' > answer
	jq -e '.ok and .generation == 2 and .changed and .warnings == []' answer
	from=$(jq .from answer)
	grep -q "generation 2 in force from line $from on" hub.err
	events 4 5 | put
	# The line that it says is the first that the new rules decided about.
	[ "$(ls spool/*.ndjson | tail -n 1)" = "spool/$(printf %020d "$from").ndjson" ]
	printf 'all -> store\n  type = "x" -> store\n' > rules
	ask control '{"do":"reload"}' | jq -e '.error == "rules:2:8: = is no operator; == compares"'
	wait_for hub.err 'the old rules stay \(generation 2\)'
	ask control '{"do":"status"}' | jq -e '.generation == 2'
	take late 256 1 | cmp - <(events 4 5)
}

@test "a reload that waits for a slow disk delays no line" {
	printf 'all -> store\n' > rules
	shim_hub
	events 1 10 | put
	: > slow-sync
	printf 'all -> store\ntype == "x" -> store, x\n' > rules
	ask control '{"do":"reload"}' 30000 > answer & pid=$!
	take store 256 1 | cmp - <(events 1 10)
	ask control '{"do":"status"}' | jq -e '.generation == 1'
	[ ! -s answer ]
	rm slow-sync
	wait "$pid"
	jq -e '.generation == 2' answer
}

@test "a hundred who ask for a reload at once are all answered, and lines flow meanwhile" {
	hub
	events 1 2000 > in
	put 8 < in > put.out & pids=$!
	for i in $(seq 100); do
		printf 'all -> store\ntype == "n%d" -> store, extra\n' $((i / 10)) > rules.new
		mv rules.new rules
		ask control '{"do":"reload"}' 20000 > "answer.$i" & pids+=" $!"
	done
	wait $pids
	cat answer.* | jq -se 'length == 100 and all(.ok) and (map(.generation) | unique | length) >= 2'
	spooled | cmp - in
}

@test "flags come from a file; a changed flag begins a generation, an unused one does not" {
	echo 'all -> store' > rules
	echo 'flag beta and not flag Gamma-2 -> new' >> rules
	printf '# on today\n\n  unused \n' > flags
	hub
	events 1 2 | put
	echo beta >> flags
	ask control '{"do":"reload"}' | jq -e '.generation == 2'
	echo other >> flags
	ask control '{"do":"reload"}' | jq -e '.changed == false'
	events 3 4 | put
	ask control '{"do":"rules"}' | jq -e '.flags == {"beta": true, "Gamma-2": false}'
	printf 'beta\nGamma-2\n' > flags
	ask control '{"do":"reload"}' | jq -e '.generation == 3'
	events 5 6 | put
	rm flags
	daemon_signal hub HUP
	wait_for hub.err 'generation 4 in force'
	# What came before goes where its flags said, whatever they say now.
	daemon_kill hub
	hub
	take new 256 1 | cmp - <(events 3 4)
	echo 'two words' > flags
	ask control '{"do":"reload"}' | jq -e '.error | startswith("flags:1:1: one flag a line")'
	run -1 route -t -r rules --flags spool < /dev/null
	printf '#!flags beta\nall -> store' > rules
	run -1 route -t -r rules --flags none < /dev/null
	[[ "$output" == *"rules:1:1:"* ]]
}

@test "hits of each rule are counted for lines that come, in the answer of rules and in the metrics" {
	cat > rules <<-'END'
		# first
		all -> store

		data.text in ("message number 1", "message number 2") -> store
		type == "none" -> store
	END
	hub
	events 1 10 | put
	events 1 10 | put
	ask control '{"do":"rules"}' > answer
	jq -e '.file == "rules" and .generation == 1 and [.rules[] | [.line, .hits]] == [[2, 10], [4, 2], [5, 0]]' answer ||
		{ cat answer; events 1 2; return 1; }
	jq -e '.rules[0].rule == "all -> store"' answer
	daemon_kill hub
	strings -n 8 run/metrics | grep -F "rule=\"type == 'none' -> store\""
}

@test "settings of a destination count from the moment they are in force, for it alone" {
	printf 'all -> a, b\ndest a attempts=2\n' > rules
	hub --attempts 1
	chat a later | put
	PROBE_CONNS=1 daemon_run wa "$P" work ipc://run/to-a null:// retry
	PROBE_CONNS=1 daemon_run wb "$P" work ipc://run/to-b null:// retry
	wait_until 10 eval '[ -s spool/dead/a.ndjson ] && [ -s spool/dead/b.ndjson ]'
	jq -e .dead.attempts spool/dead/a.ndjson | grep -x 2
	jq -e .dead.attempts spool/dead/b.ndjson | grep -x 1
	printf 'all -> a, b\ndest b attempts=3\n' > rules
	ask control '{"do":"reload"}' | jq -e .changed
	daemon_signal wa KILL; daemon_wait wa
	PROBE_CONNS=1 daemon_run wa "$P" work ipc://run/to-a null:// retry
	chat b later | put
	wait_until 10 eval '[ "$(wc -l < spool/dead/a.ndjson)" = 2 ]'
	tail -n 1 spool/dead/a.ndjson | jq -e .dead.attempts | grep -x 1
	# The second time it takes it.
	wait_until 10 has b delivered 1
	[ "$(wc -l < spool/dead/b.ndjson)" = 1 ]
	daemon_signal wa KILL; daemon_wait wa
	daemon_signal wb KILL; daemon_wait wb
}

@test "rules that can never do anything are warned of with their line" {
	cat > rules <<-'END'
		all -> store
		type == "a" and type == "b" -> x
		type == "a" and data.n > 5 -> x stop
		(data.n > 7 and type == "a") -> y
		type in ("a", "c") and partitionkey ^= "browser:" -> z
		partitionkey ^= "browser:x" and type == "c" -> z
		type != "x" -> z
		10% and not 20% and data.n > 1 -> v
		not (data.n > 3) and data.n > 5 -> v
		not exists data.q and data.q ^= "x" -> v
		not 100% -> v
		20% and not 10% -> v
		all -> q stop
		10% -> r
	END
	route -t -r rules 2> err < /dev/null
	sed -E 's/.*(rules:[0-9]+: [^"]*).*/\1/' err > got
	cut -d ' ' -f 1-6 got | diff - - <<-'END' || { cat err; return 1; }
		rules:2: this rule never holds: type
		rules:4: this rule is never reached: line
		rules:6: this rule adds nothing: line
		rules:8: this rule never holds: 10% and
		rules:9: this rule never holds: data.n
		rules:10: this rule never holds: not exists
		rules:11: this rule never holds: not 100%
		rules:14: this rule is never reached: line
	END
	hub
	wait_for hub.err 'rules:4: this rule is never reached: line 3 holds for all its lines and stops'
	ask control '{"do":"reload"}' | jq -e '.changed == false and (.warnings | length) == 8'
	# Those that are delivered have none.
	route -t -r "$ROOT/share/rules" < /dev/null 2> err
	[ ! -s err ]
}

@test "-x explains a line rule by rule, for people and as JSON" {
	cat > rules <<-'END'
		all -> store
		type == "chat.message" and (data.n > 7 or not flag quiet) -> a, mirror b
		100% or jq '.data.n == 6' -> z stop
		exists data.q -> w
	END
	chat a hello > in
	echo '{}' >> in
	echo quiet > flags
	run -1 route -x -r rules < in
	[ "$(grep -c $'^\t\t' <<<"$output")" = 5 ]
	diff <(sed 's/^\t*//' <<<"$output") - <<-'END' || return 1
		a	store,z
			yes	rules:1: all -> store
			no	rules:2: type == "chat.message" and (data.n > 7 or (not flag quiet)) -> a, mirror b
				yes	type == "chat.message"	(type is "chat.message")
				no	data.n > 7	(data.n is not there)
				yes	flag quiet	(the flag is on)
			yes	rules:3: 100% or jq ".data.n == 6" -> z stop
				yes	100%	(the conversation is at 68.4154%)
				no	jq ".data.n == 6"
			not tried	rules:4: exists data.q -> w	(line 3 stopped)
		-	refused: line 2, byte 2: specversion is missing
	END
	route -x -r rules --json < in > out || true
	head -n 1 out | jq -e '.id == "a" and .dests == ["store", "z"] and (.rules | map(.holds)) == [true, false, true, null]
		and .rules[1].tests[1] == {"test": "data.n > 7", "holds": false, "fact": "data.n is not there"} and .rules[2].stops'
	tail -n 1 out | jq -e '.refused | startswith("line 2, byte 2")'
	# What it says of the destinations is what -t says.
	events 1 200 > many
	diff <(route -t -r rules < many) <(route -x -r rules < many | grep -v '^	')
}

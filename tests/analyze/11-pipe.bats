load ../lib/daemon
load ../lib/line
export PENSTOCK_SHARE=$ROOT/share

@test "a filter in a pipe: every line comes out as it came, in order, each message followed by its analysis" {
	{ chat 1 'I love it'; event 2 member.join '{"channel":{"id":"c"},"user":{"id":"u"}}'; chat 3 '!help'; chat 4 'so sad'; event 5 x.y; } >"$T/in"
	analyze <"$T/in" >"$T/out"
	grep -v '"type":"analysis.emotion"' "$T/out" | cmp - "$T/in"
	[ "$(ids "$T/out" | tr '\n' ' ')" = "1 1.analyze 2 3 4 4.analyze 5 " ]
}

@test "the event: who caused it, whose it is, and what it says" {
	event m1 chat.message '{"channel":{"id":"c","name":"C"},"user":{"id":"u","name":"Ann","roles":["mod"]},"message_id":"p-1","text":"I love it","platform":"twitch","account":"b","shared_id":"s-1"}' \
		'"tenant":"t1","partitionkey":"browser:c","time":"2026-11-20T10:00:00Z","traceparent":"00-0123456789abcdef0123456789abcdef-00000000000000ab-01"' |
		analyze | sed -n 2p >"$T/out"
	jq -e '.specversion == "1.0" and .id == "m1.analyze" and .type == "analysis.emotion" and .tenant == "t1" and .partitionkey == "browser:c"' "$T/out"
	jq -e '.causationid == "m1" and .data.message_id == "p-1" and .data.channel.id == "c" and .data.user == {"id":"u","name":"Ann"}' "$T/out"
	jq -e '.data.platform == "twitch" and .data.account == "b" and .data.shared_id == "s-1"' "$T/out"
	jq -e '.data.top == "love" and .data.group == "positive" and .data.scores.love > 0.9 and .data.lang == "en"' "$T/out"
	jq -e '.traceparent | test("^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01$") and (contains("00000000000000ab") | not)' "$T/out"
}

@test "same input, same output, byte for byte" {
	events 1 500 >"$T/in"
	chat x 'wow that is AMAZING!!! 😂 LUL' >>"$T/in"
	analyze <"$T/in" >"$T/one"
	analyze <"$T/in" >"$T/two"
	cmp "$T/one" "$T/two"
	[ "$(wc -l <"$T/one")" -eq 1002 ]
}

@test "what a bot said is not judged" {
	event 1 chat.message '{"channel":{"id":"c"},"user":{"id":"u","bot":true},"text":"I love it"}' | analyze >"$T/out"
	[ "$(wc -l <"$T/out")" -eq 1 ]
}

@test "a row of emotes for one channel counts there only" {
	printf 'Hug\thappy\nHug\tso sad\troom2\n' >"$T/e"
	{ chat 1 Hug ann room1; chat 2 Hug ann room2; } | analyze -e "$T/e" | jq -r 'select(.type == "analysis.emotion") | .data.top' >"$T/out"
	[ "$(tr '\n' ' ' <"$T/out")" = "joy sadness " ]
}

@test "the emotes are read again at SIGHUP; a bad file is refused and the old one stays" {
	printf 'xyzzy\tthank you\n' >"$T/e"
	mkfifo "$T/pipe"
	exec 7<>"$T/pipe"
	analyze -L text -e "$T/e" -M "$T/m" <"$T/pipe" >"$T/out" 2>"$T/err" 7>&- 3>&- &
	DAEMON_PID[analyze]=$!
	chat 1 xyzzy >&7
	wait_for "$T/out" '"id":"1.analyze".*"top":"gratitude"'
	printf 'xyzzy\tI hate it\n' >"$T/e"
	daemon_signal analyze HUP
	wait_for "$T/err" 'in force'
	chat 2 xyzzy >&7
	wait_for "$T/out" '"id":"2.analyze".*"top":"anger"'
	printf 'xyzzy\n' >"$T/e"
	daemon_signal analyze HUP
	wait_for "$T/err" 'stay in force'
	grep -q ":1: want: emote, TAB, words" "$T/err"
	chat 3 xyzzy >&7
	wait_for "$T/out" '"id":"3.analyze".*"top":"anger"'
	daemon_stop analyze
	exec 7>&-
}

@test "counters" {
	{ chat 1 'I love it'; chat 2 '!x'; event 3 x.y; chat 4 'qwe rtz uiop'; } | analyze -M "$T/m" >"$T/out"
	[ "$(grep -c analysis.emotion "$T/out")" -eq 2 ]
	grep -aq analyze_messages_total "$T/m"
}

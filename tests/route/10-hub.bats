# The way of a line: put, kept, taken, done.
load hub

@test "a put is acknowledged when it is in the spool, as text with a commit line" {
	hub
	events 1 3 > want
	run -0 put < want
	[ "$output" = "acked 3 refused 0" ]
	[ "$(ls spool/*.ndjson | wc -l)" -eq 1 ]
	grep -v '^{"_commit":' spool/*.ndjson | cmp - want
	tail -n 1 spool/*.ndjson | grep -Eq '^\{"_commit":\{"seq":[0-9]+,"n":3,"bytes":[0-9]+,"gen":1,"crc":"[0-9a-f]{8}"\}\}$'
	first=$(head -n 1 spool/*.ndjson | sed 's/.*"seq":\([0-9]*\).*/\1/')
	[ "$(basename spool/*.ndjson)" = "$(printf '%020d' "$first").ndjson" ]
}

@test "one worker gets every line once, in order in its conversation, each batch with rising numbers" {
	hub
	events 1 5000 40 3 > want
	put < want > /dev/null
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 5 has store delivered 5000
	daemon_stop w
	lanes w.out | cmp - <(lanes want)
	sed -n 's/^seq \([0-9]*\) to \([0-9]*\)$/\1 \2/p' w.err | awk '$2 < $1 { exit 1 } END { exit NR < 20 }'
	daemon_stop hub
	[ "$(cursor store pending)" = 0 ]
}

@test "a line is there for its worker at once, and a worker waits for a line" {
	hub
	daemon_run w "$P" take ipc://run/to-store w 256 2
	chat a 'first' | put
	wait_until 5 has store delivered 1
	chat b 'second' | put
	daemon_wait w
	[ "$(ids w.out)" = $'a\nb' ]
}

@test "destinations go at their own pace" {
	echo 'all -> slow, fast' > rules
	hub
	events 1 20000 > want
	put < want > /dev/null
	daemon_run f "$P" take ipc://run/to-fast f 256
	wait_until 20 has fast delivered 20000
	daemon_stop f
	lanes f.out | cmp - <(lanes want)
	[ "$(cursor slow delivered)" = 0 ]
	daemon_run w "$P" take ipc://run/to-slow w 4096
	wait_until 5 has slow delivered 20000
	daemon_stop w
	lanes w.out | cmp - <(lanes want)
}

@test "two workers: every line once, each conversation in order" {
	hub --window-lines 500
	for w in 1 2; do daemon_run w$w "$P" take ipc://run/to-store w$w 17; done
	# In parts, and as many as it takes: one worker may have connected, and done a part alone, before the other one is there.
	local n=0
	while [ "$n" -lt 6000 ] || [ ! -s w1.out ] || [ ! -s w2.out ]; do
		[ "$n" -lt 200000 ]
		events $((n + 1)) $((n + 1000)) 25 | tee -a want | put > /dev/null
		n=$((n + 1000))
		wait_until 20 has store delivered "$n"
	done
	daemon_stop w1
	daemon_stop w2
	sort w1.out w2.out | cmp - <(sort want)
	for w in 1 2; do
		for room in r0 r7 r24; do
			grep "\"partitionkey\":\"test:$room\"" w$w.out | ids | sed 's/e-//' | sort -nc
		done
	done
}

@test "repeats are acknowledged and not kept again, over a restart too" {
	hub
	events 1 10 > first
	events 5 12 > second
	put < first > /dev/null
	run -0 put < second
	[ "$output" = "acked 8 refused 0" ]
	(events 13 14; events 13 13) > third
	run -0 put < third
	[ "$output" = "acked 3 refused 0" ]
	events 1 14 | cmp - <(spooled)
	daemon_stop hub
	hub
	put < second > /dev/null
	events 1 14 | cmp - <(spooled)
}

@test "the same id from another source is another event" {
	hub
	event x t | sed 's,/test,/other,' > lines
	event x t >> lines
	put < lines
	[ "$(spooled | wc -l)" -eq 2 ]
}

@test "a restart goes on where it was" {
	hub
	events 1 1000 > want
	put < want > /dev/null
	takes store 400 100 > got
	wait_until 5 has store delivered 400
	daemon_stop hub
	hub
	daemon_run w "$P" take ipc://run/to-store w 100
	wait_until 5 has store delivered 1000
	daemon_stop w
	cat w.out >> got
	lanes got | cmp - <(lanes want)
}

@test "what a worker had when it went is given to the next" {
	hub
	events 1 10 > want
	put < want > /dev/null
	ask to-store '{"take":4,"as":"one-shot"}' > shot
	[ "$(tail -n +2 shot | wc -l)" -eq 4 ]
	take store 256 1 | cmp - want
}

@test "a late done is understood as long as its lines wait, and harmless otherwise" {
	hub
	events 1 10 > want
	put < want > /dev/null
	batch=$(ask to-store '{"take":4,"as":"one-shot"}' | head -n 1 | sed 's/.*"batch":"\([^"]*\)".*/\1/')
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"one-shot\"}"
	[ "$output" = '{"ok":true}' ]
	[ "$(cursor store delivered)" = 4 ]
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"one-shot\"}"
	run -0 ask to-store '{"done":"deadbeef-99","as":"one-shot"}'
	run -0 ask to-store '{"done":"","as":"one-shot"}'
	[ "$(cursor store delivered)" = 4 ]
	take store 256 1 | cmp - <(tail -n +5 want)
}

@test "nngcat puts, takes and reports" {
	hub
	events 1 3 > want
	run -0 nngcat --req --dial ipc://run/in --file want --raw
	[ "$output" = '{"ack":3}' ]
	run -0 nngcat --req --dial ipc://run/to-store --data '{"take":2,"as":"nngcat"}' --raw
	[[ "${lines[0]}" == '{"batch":"'*'","n":2,"seq":['*']}' ]]
	[ "${lines[1]}" = "$(head -n 1 want)" ]
	batch=$(sed 's/.*"batch":"\([^"]*\)".*/\1/' <<<"${lines[0]}")
	run -0 nngcat --req --dial ipc://run/to-store --data "{\"done\":\"$batch\",\"as\":\"nngcat\"}" --raw
	[ "$output" = '{"ok":true}' ]
	[ "$(cursor store delivered)" = 2 ]
}

@test "more intakes and more listeners of a destination" {
	hub -i ipc://extra -i ipc://another -o store=ipc://far
	chat a x | "$P" put ipc://extra
	chat b x | "$P" put ipc://another
	"$P" take ipc://far w 10 1 2>/dev/null > got
	[ "$(ids got)" = $'a\nb' ]
}

@test "stdin is spooled like a put; its end stops the hub" {
	echo 'all -> store' > rules
	events 1 3000 > want
	(head -n 1500 want; echo rubbish; tail -n +1501 want) > in
	run -1 route -L text -d spool -r rules -i - < in
	[[ "$output" == *"standard input, line 1501 refused: byte 0:"* ]]
	spooled | cmp - want
	run -0 route -L text -d spool -r rules -i - < want
	[ "$(spooled | wc -l)" -eq 3000 ]
}

@test "the filter passes the lines of one destination, unchanged and in order" {
	printf 'type == "chat.message" -> chat\ntype != "chat.message" -> rest' > rules
	(events 1 300; event x other.type; events 301 600) > in
	run -0 route -r rules -D chat -i - < in
	[ "$output" = "$(events 1 600)" ]
	route -r rules -D rest < in | grep -q '"id":"x"'
	run -1 route -r rules -D nobody < in
	[[ "$output" == *nobody* ]]
	(cat in; echo '{"half":') > bad
	run -1 route -L text -r rules -D rest < bad
	[[ "$output" == *'"id":"x"'* && "$output" == *"line 602 refused"* ]]
	route -r rules -D chat < in | head -n 1 | grep -q e-1
}

@test "-s interval and never acknowledge too, and keep as well over kill -9" {
	events 1 500 > want
	for mode in interval never; do
		rm -rf spool run
		hub $mode -s $mode
		put 50 < want > /dev/null
		daemon_kill $mode
		hub again$mode -s $mode
		spooled | cmp - want
		daemon_stop again$mode
	done
}

@test "metrics count what happens" {
	hub
	(events 1 10; events 1 5; echo '{}') > in
	put < in > /dev/null
	takes store 8 4 > /dev/null
	wait_until 5 has store delivered 8
	daemon_stop hub
	for row in route_accepted_total route_repeats_total route_refused_in_total route_delivered_total route_pending route_workers; do
		grep -aq "$row" run/metrics || { echo "no $row"; return 1; }
	done
	grep -aq 'dest="store"' run/metrics
}

@test "the control socket answers, and says what is wrong with a question" {
	hub
	[ "$(ask control '{"do":"status"}' | jq -c '[.ok, .generation]')" = '[true,1]' ]
	[[ $(ask control '{"do":"dance"}' | jq -r .error) == 'dance: no such verb'* ]]
	[[ $(ask control '{"do"' | jq -r .error) == 'a question is one JSON object'* ]]
	[[ $(ask control '{"a":1}' | jq -r .error) == *'"do" is missing'* ]]
}

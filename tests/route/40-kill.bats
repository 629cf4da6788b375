# Kills, torn writes, damaged files: nothing that was acknowledged is lost, nothing is kept twice.
load hub

@test "the last file cut at every byte: whole groups stay, the rest is cut off, and it goes on" {
	echo 'all -> store' > rules
	(chat a one; chat b two) > g1
	chat c three > g2
	for g in g1 g2; do route -L text -d spool -r rules -i - < $g 2> /dev/null; done
	file=$(echo spool/*.ndjson)
	cp "$file" whole
	size=$(wc -c < whole)
	head=$(head -n 1 whole | wc -c)
	one=$(head -n 4 whole | wc -c)
	cut=0
	while [ "$cut" -le "$size" ]; do
		rm -f spool/*.ndjson spool/cursor/store spool/cursor/.timer	# nobody has seen the lines: else what is cut off is a gap
		head -c "$cut" whole > "$file"
		route -L text -d spool -r rules -i - < /dev/null 2> err || { cat err; return 1; }
		want=0
		[ "$cut" -lt "$one" ] || want=2
		[ "$cut" -lt "$size" ] || want=3
		if [ "$want" = 0 ]; then
			# A file without a line is no file.
			[ ! -e "$file" ] || { echo "cut at $cut: still there"; return 1; }
		else
			[ "$(spooled | wc -l)" -eq "$want" ] || { echo "cut at $cut: $(spooled | wc -l) lines"; return 1; }
			[ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ]
		fi
		case $cut in 0 | "$head" | "$one" | "$size") run -1 grep -q 'cut off' err ;; *) grep -q 'cut off' err ;; esac
		cut=$((cut + 1))
	done
	# And lines go on behind a cut.
	rm -f spool/cursor/store spool/cursor/.timer
	head -c $((size - 5)) whole > "$file"
	route -d spool -r rules -i - < g2
	cat g1 g2 | cmp - <(spooled)
}

@test "kill -9 while lines come: every acknowledged line is there, each once" {
	hub
	events 1 30000 300 > want
	: > outcomes
	"$P" put ipc://run/in 64 < want >> outcomes 2> /dev/null &
	putter=$!
	for i in 1 2 3 4 5 6 7 8; do
		n=$(wc -l < outcomes)
		wait_until 20 eval '[ "$(wc -l < outcomes)" -gt '$((n + 20))' ] || ! kill -0 '$putter' 2>/dev/null'
		daemon_kill hub
		hub
	done
	wait $putter
	[ "$(sed -n 's/^acked \([0-9]*\) refused 0$/\1/p' outcomes | awk '{ n += $1 } END { print n + 0 }')" -eq 30000 ]
	spooled > got
	cmp got want
}

@test "kill -9 of hub and worker while lines go: every line is delivered, in order in its conversation" {
	hub
	events 1 60000 20 > want
	"$P" put ipc://run/in 64 < want > outcomes 2> /dev/null &
	putter=$!
	for i in 1 2 3 4 5 6; do
		: > got.$i
		"$P" take ipc://run/to-store w 50 >> got.$i 2> /dev/null &
		w=$!
		wait_until 20 eval '[ "$(wc -l < got.'$i')" -gt 300 ] || ! kill -0 '$putter' 2>/dev/null'
		if [ $((i % 2)) = 0 ]; then
			daemon_kill hub
			kill -9 $w; wait $w 2>/dev/null || true
			hub
		else
			kill -9 $w; wait $w 2>/dev/null || true
		fi
	done
	wait $putter
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 30 has store delivered 60000
	# It may have had nothing to do, and not be ready for anything else yet.
	daemon_signal w KILL
	daemon_wait w
	# Half a line is what was being printed when it was killed.
	grep -h '"}}$' got.* w.out > got
	sort -u got | cmp - <(sort want)
	for room in r0 r13; do
		grep "\"test:$room\"" got | ids | sed 's/e-//' | awk '!seen[$1]++' | sort -nc
	done
}

@test "what was acknowledged out of order is not given again after kill -9" {
	hub
	chat a 1 ann one | put
	stuck store
	(chat b 2 ann two; chat c 3 ann three; chat d 4 ann four) | put
	[ "$(take store 3 1 | ids)" = $'b\nc\nd' ]
	wait_until 5 has store delivered 3
	daemon_kill hub
	unstick store
	hub
	[ "$(take store 4 1 | ids)" = a ]
}

@test "a cursor torn in one slot: the other counts; in both: all is given again, and it says so" {
	hub
	events 1 4 | put
	take store 2 1 > /dev/null
	wait_until 5 has store delivered 2
	daemon_stop hub
	cp spool/cursor/store good
	printf garbage | dd of=spool/cursor/store bs=1 conv=notrunc 2> /dev/null
	hub
	[ "$(take store 4 1 | ids)" = $'e-3\ne-4' ]
	daemon_stop hub
	(printf garbage; head -c 4089 /dev/zero; printf garbage; head -c 4089 /dev/zero) > spool/cursor/store
	hub
	wait_for hub.err 'cursor/store: holds no valid slot'
	[ "$(take store 4 1 | ids)" = $'e-1\ne-2\ne-3\ne-4' ]
	daemon_stop hub
	for size in 0 1 4096 8191 8193; do
		head -c $size /dev/zero > spool/cursor/store
		hub
		daemon_stop hub
	done
}

@test "a cursor ahead of the spool (power loss): numbers are not used again" {
	hub
	events 1 10 | put 5
	take store 256 1 > /dev/null
	wait_until 5 has store delivered 10
	low=$(cursor store low)
	daemon_kill hub
	file=$(echo spool/*.ndjson)
	head -c -300 "$file" > cut
	cat cut > "$file"
	hub
	events 11 12 | put
	take store 256 1 > took
	[ "$(ids < took | tail -n 2)" = $'e-11\ne-12' ]
	[[ "$(ids < took | head -n 1)" == "spool.gap.$((low - 5))-$((low - 1))" ]]
	[ "$(ls spool/*.ndjson | tail -n 1)" = "spool/$(printf '%020d' "$low").ndjson" ]
}

@test "damage in the middle of the last file: what is good on both sides is kept, the file as it was is put aside" {
	hub
	events 1 30 | put 10
	daemon_kill hub
	file=$(echo spool/*.ndjson)
	sed -i 's/message number 15"/message number XX"/' "$file"
	hub
	wait_for hub.err 'are gone: bytes .* a wrong checksum'
	spooled | head -n 20 | cmp - <(events 1 10; events 21 30)
	grep -q 'message number XX"' spool/damaged/*.ndjson
	events 11 30 | put
	spooled | grep -v spool.gap | cmp - <(events 1 10; events 21 30; events 11 20)
}

@test "TERM: what was acknowledged is kept, the cursor is exact, no socket is left" {
	hub
	events 1 500 | put > /dev/null
	takes store 200 100 > first
	wait_until 5 has store delivered 200
	daemon_stop hub
	[ -z "$(find run -type s)" ]
	hub
	daemon_run w "$P" take ipc://run/to-store w 100
	wait_until 5 has store delivered 500
	daemon_stop w
	grep '^{' w.out > got
	[ "$(wc -l < got)" -eq 300 ]
	run -1 grep -q "$(head -n 1 first)" got
	cat first got | lanes | cmp - <(events 1 500 | lanes)
}

@test "half a dead letter that a kill left does not swallow the next" {
	hub
	printf '{"dead":{"dest":"store","se' > spool/dead/store.ndjson
	chat a x | put
	batch=$(ask to-store '{"take":1,"as":"x"}' | head -n 1 | sed 's/.*"batch":"\([^"]*\)".*/\1/')
	run -0 ask to-store "{\"done\":\"$batch\",\"as\":\"x\"}"
	chat b x | put
	daemon_start next "$P" server ipc://next ack
	daemon_run w "$P" work ipc://run/to-store ipc://next refuse
	chat c bad | put
	wait_until 5 has store dead 1
	daemon_stop w
	daemon_stop next
	[ "$(tail -n 1 spool/dead/store.ndjson | ids)" ]
	tail -n 1 spool/dead/store.ndjson | grep -q '^{"dead":{"dest":"store","seq":.*bad'
}

# Its value in the metrics file: 64 bytes of head, rows of 240 whose last 8 bytes are the value.
metric() {
	local at
	at=$(grep -abo "$1" run/metrics | head -n 1 | cut -d : -f 1)
	od -An -t u8 -j $((at + 232)) -N 8 run/metrics | tr -d ' '
}

@test "kill -9: what was kept and not counted is counted at the next start" {
	hub
	events 1 10 | put 5
	cp run/metrics early
	events 11 30 | put 5
	daemon_kill hub
	# As if it had been killed before it counted what came behind the first ten.
	cp early run/metrics
	hub
	[ "$(metric route_accepted_total)" = 30 ]
	daemon_kill hub
	hub
	[ "$(metric route_accepted_total)" = 30 ]
	events 31 32 | put
	[ "$(metric route_accepted_total)" = 32 ]
	daemon_stop hub
	# The metrics of a spool that is gone say nothing of a new one, and the other way round.
	cp run/metrics old
	rm -rf spool
	hub
	events 1 3 | put
	[ "$(metric route_accepted_total)" = 35 ]
	daemon_kill hub
	cp old run/metrics
	hub
	[ "$(metric route_accepted_total)" = 32 ]
}

@test "kill -9 while lines come: as many are counted as there are" {
	hub
	events 1 20000 300 > want
	: > outcomes
	"$P" put ipc://run/in 16 < want >> outcomes 2> /dev/null &
	putter=$!
	for i in $(seq 15); do
		n=$(wc -l < outcomes)
		wait_until 20 eval '[ "$(wc -l < outcomes)" -gt '$((n + 10))' ] || ! kill -0 '$putter' 2>/dev/null'
		daemon_kill hub
		hub
	done
	wait $putter
	[ "$(metric route_accepted_total)" -eq "$(spooled | wc -l)" ]
}

# Worker sets: a share of the conversations, copies, retreat.
load hub

split() { ask control '{"do":"split","dest":"store"'"${1:+,$1}"'}'; }
# MEMBER of what the split says
says() { split | sed -n 's/.*"'"$1"'":\("[^"]*"\|[^,}]*\).*/\1/p' | tr -d '"'; }
# hand NAME SET WORD MEMBERS
hand() { PROBE_SET=$2 daemon_run "$1" "$P" hand ipc://run/to-store 50 "$3" "$4"; }
old() { daemon_run "${1:-old}" "$P" take ipc://run/to-store old 50; }

@test "a share: always the same conversations, and nobody else gets them; off: all go on" {
	hub
	split '"set":"next","percent":30' | grep -q '"ok":true,"set":"next","percent":30,"copy":false'
	hand next next nothing x
	old
	events 1 2000 100 > want
	put < want > /dev/null
	wait_until 10 has store delivered 2000
	events 2001 4000 100 | tee -a want | put > /dev/null
	wait_until 10 has store delivered 4000
	n=$(grep -c '^{' next.out)
	[ "$n" -gt 600 ]
	[ "$n" -lt 1800 ]
	[ "$(says given)" = "$n" ]
	[ "$(says done)" = "$n" ]
	[ "$(says refused)" = 0 ]
	[ "$(says others_done)" = $((4000 - n)) ]
	[ "$(says others_given)" -ge "$(says others_done)" ]
	# No conversation is on both sides, each is in order.
	comm -12 <(grep '^{' next.out | lanes | cut -d ' ' -f 1,2 | sort -u) <(lanes old.out | cut -d ' ' -f 1,2 | sort -u) | wc -l | grep -qx 0
	cat <(grep '^{' next.out) old.out | lanes | cmp - <(lanes want)
	# Over a restart, too.
	daemon_kill hub
	hub
	[ "$(says percent)" = 30 ]
	split '"off":true' | grep -q '"off_because":"told to"'
	daemon_stop next
	events 4001 5000 100 | put > /dev/null
	wait_until 10 has store delivered 5000
}

@test "with 100 percent all lines change sides, in order" {
	hub
	old
	events 1 20000 10 > want
	head -n 10000 want | put 100 > /dev/null &
	local putter=$!
	wait_until 10 eval '[ "$(cursor store delivered)" -gt 1000 ]'
	split '"set":"next","percent":100' > /dev/null
	hand next next nothing x
	wait "$putter"
	tail -n +10001 want | put 100 > /dev/null
	wait_until 20 has store delivered 20000
	daemon_stop old
	daemon_stop next
	[ "$(grep -c '^{' next.out)" -ge 10000 ]
	cat old.out <(grep '^{' next.out) | lanes | cmp - <(lanes want)
}

@test "copies: the set gets every line that others get, in order, and nothing depends on what it says" {
	hub
	split '"set":"shadow","copy":true' > /dev/null
	hand s shadow bad '"error":"no"'
	old
	wait_until 5 eval '[ "$(says workers)" = 1 ]'
	(events 1 1000 20; chat x bad) > want
	put 20 < want > /dev/null
	wait_until 10 has store delivered 1001
	wait_until 10 eval '[ "$(($(says done) + $(says refused) + $(says shed)))" = 1001 ]'
	[ "$(says refused)" -le 1 ]
	cmp <(lanes old.out) <(lanes want)
	has store dead 0
	# A shadow that hangs costs copies, and nobody else anything.
	daemon_signal s STOP
	events 1001 30000 20 | put > /dev/null
	wait_until 20 has store delivered 30001
	[ "$(says shed)" -gt 5000 ]
	daemon_signal s CONT
	daemon_stop s
}

@test "a set that refuses too much gets no more, and what it refused is done by others" {
	hub
	split '"set":"next","percent":50' > /dev/null
	hand next next message '"error":"broken","retry":true'
	old
	events 1 1000 100 | put > /dev/null
	wait_until 20 has store delivered 1000
	says off_because | grep -q 'it refused .* of its last'
	wait_for hub.err 'workers of set next are not used any more'
	has store dead 0
	daemon_stop next
}

@test "what a share refuses with retry counts for no line: it comes to the others after all, and not to the dead letters" {
	hub --attempts 2
	split '"set":"next","percent":100' > /dev/null
	hand next next message '"error":"not now","retry":true,"retry_after":1'
	chat only-one | put > /dev/null
	wait_until 10 eval '[ "$(says refused)" -ge 3 ]'
	has store dead 0
	old
	wait_until 30 has store delivered 1
	says off_because | grep -q 'it refused line [0-9]* again and again'
	has store dead 0
	daemon_stop next
}

@test "a share is taken back with all that its workers have, and what waits after a refusal is done at once" {
	hub --deadline 2s
	split '"set":"next","percent":50' > /dev/null
	# It refuses for a minute, and then does nothing more.
	PROBE_SET=next daemon_run refuses "$P" hand ipc://run/to-store 1 message '"error":"broken","retry":true,"retry_after":60000'
	old
	events 1 100 10 > want
	put < want > /dev/null
	wait_until 5 eval '[ "$(says refused)" -ge 3 ]'
	daemon_signal refuses STOP
	events 101 1000 20 | tee -a want | put > /dev/null
	wait_until 10 has store delivered 1000
	says off_because | grep -q 'it did nothing for 2 s, and had lines'
	lanes old.out | cmp - <(lanes want)
	daemon_signal refuses CONT
	daemon_stop refuses
}

@test "a set with nobody there gets no more after five seconds" {
	hub
	old
	split '"set":"next","percent":50' > /dev/null
	events 1 1000 100 | put > /dev/null
	wait_until 15 has store delivered 1000
	says off_because | grep -q 'none of its workers was connected'
	daemon_kill hub
	hub
	says off_because | grep -q 'none of its workers was connected'
}

@test "what is asked wrongly is refused" {
	hub
	[ "$(says set)" = null ]
	split '"set":"x","percent":0' | grep -q '"error":".*percent'
	split '"set":"x","percent":101' | grep -q '"error":".*percent'
	split '"set":"","copy":true' | grep -q '"error"'
	ask control '{"do":"split","dest":"nobody"}' | grep -q '"error":".*nobody is none'
	[ "$(says set)" = null ]
}

@test "a mirror gets what it can take, and holds nobody up" {
	echo 'all -> store, mirror copy' > rules
	hub --segment 64k --repeat-time 0 --window-lines 1000
	old
	events 1 20000 20 | put 500 > /dev/null
	wait_until 20 has store delivered 20000
	# Nobody takes from it: its window is what it keeps of that, and the spool goes all the same.
	wait_until 10 eval '[ "$(ls spool/*.ndjson | wc -l)" -le 2 ]'
	daemon_run m "$P" take ipc://run/to-copy m 256
	# Its file speaks of nothing yet: what was shed is in it with the first report.
	wait_until 10 eval '[ "$(cursor copy shed)" -gt 10000 ] && has copy pending 0'
	[ "$(($(cursor copy shed) + $(cursor copy delivered)))" -eq 20000 ]
	events 20001 20100 | put > /dev/null
	# Not "pending 0": the record of before these lines came says that, too.
	wait_until 10 eval '[ "$(($(cursor copy shed) + $(cursor copy delivered)))" -eq 20100 ]'
	daemon_stop m
	tail -n 100 m.out | lanes | cmp - <(events 20001 20100 | lanes)
	daemon_stop hub
	hub --segment 64k --repeat-time 0
	[ "$(($(cursor copy shed) + $(cursor copy delivered)))" -eq 20100 ]
}

@test "the rules' settings of a destination hold, from a reload on, too" {
	printf 'dest store attempts=2\nall -> store\n' > rules
	hub --attempts 9
	chat a bad | put
	PROBE_SET= daemon_run w "$P" hand ipc://run/to-store 10 bad '"error":"no","retry":true'
	wait_until 10 has store dead 1
	grep -q '"attempts":2,' spool/dead/store.ndjson
	printf 'dest store attempts=1\nall -> store\n' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 2 in force'
	chat b bad | put
	wait_until 10 has store dead 2
	grep -q '"attempts":1,' spool/dead/store.ndjson
	daemon_stop w
}

@test "workers of a set that is held, or was taken out, get nothing, also after a restart; told to be off they are like all others" {
	hub
	split '"set":"next","hold":true' | grep -q '"ok":true,"set":"next"'
	hand next next nothing x
	wait_until 5 eval '[ "$(says workers)" = 1 ]'
	events 1 100 | put > /dev/null
	# Nobody was there for five seconds, as route sees it: then the worker comes back.
	daemon_stop next
	wait_until 15 eval 'says off_because | grep -q "none of its workers"'
	hand next next nothing x
	daemon_kill hub
	hub
	old
	wait_until 10 has store delivered 100
	[ "$(grep -c '^{' next.out)" = 0 ]
	[ "$(grep -c '^{' old.out)" = 100 ]
	daemon_stop old
	split '"off":true' > /dev/null
	events 101 200 | put > /dev/null
	wait_until 10 has store delivered 200
	[ "$(grep -c '^{' next.out)" = 100 ]
	daemon_stop next
}

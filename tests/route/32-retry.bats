# Refusals, attempts, workers that die or hang: what becomes of a line.
load hub

# A worker that refuses lines with "bad" in them: hand NAME N MEMBERS
hand() { daemon_run "$1" "$P" hand ipc://run/to-store "$2" bad "$3"; }
dead() { cat spool/dead/store.ndjson 2> /dev/null || true; }

@test "a line refused with retry comes again, later each time, and is dead after so many attempts" {
	hub --attempts 4
	chat a bad | put
	hand w 10 '"error":"not now","retry":true'
	wait_until 10 has store dead 1
	daemon_stop w
	dead | grep -q '"attempts":4,"error":"not now"'
	has store pending 0
	# Back-off: 0.1 to 0.2 s, then twice that, and twice that.
	sed -n 's/^batch .* at //p' w.out | awk 'NR > 1 { print $1 - last } { last = $1 }' > waits
	awk -v n=100 '$1 < n { exit 1 } { n *= 2 } END { exit NR != 3 }' waits
}

@test "one refused for good is dead at once, its conversation goes on" {
	hub
	(chat a bad; chat b good; chat c bad; chat d good) | put
	hand w 10 '"error":"no good"'
	wait_until 10 has store delivered 2
	daemon_stop w
	[ "$(dead | grep -c '"attempts":1,"error":"no good"')" -eq 2 ]
	[ "$(grep '^{' w.out | ids)" = $'a\nb\nc\nd' ]
}

@test "retry_after is waited for, by that conversation only" {
	hub
	(chat a bad; chat b good ann other) | put
	hand w 1 '"error":"slow down","retry":true,"retry_after":1200'
	wait_until 10 eval '[ "$(grep -c "\"id\":\"a\"" w.out)" -eq 2 ]'
	daemon_stop w
	awk '/^batch/ { at = $4 } /"id":"a"/ { if (!first) first = at; last = at } /"id":"b"/ { b = at } END { exit !(last - first >= 1200 && b < last) }' w.out
}

@test "attempts are counted over stops and over kill -9" {
	hub --attempts 4
	chat a bad | put
	for how in stop kill stop; do
		hand w 10 '"error":"no","retry":true,"retry_after":60000'
		wait_for w.out '"id":"a"'
		wait_until 5 eval '[ -n "$(ls spool/attempts/store)" ] && grep -Eq "0000[1-9] 00000 -" spool/attempts/store'
		daemon_stop w
		daemon_$how hub
		cp spool/attempts/store "attempts.$how"
		hub --attempts 4
		has store dead 0
	done
	hand w 10 '"error":"the last","retry":true'
	wait_until 5 has store dead 1
	daemon_stop w
	dead | grep -q '"attempts":4,"error":"the last"'
}

@test "a line that takes the hub with it is dead after so many attempts" {
	hub --attempts 4
	chat a bad | put
	for i in 1 2 3; do
		daemon_run w "$P" hand ipc://run/to-store 10 bad die
		daemon_wait w
		wait_for w.out '"id":"a"'
		# That was one; a worker that hangs, and the hub is killed: another one.
		[ "$i" -lt 3 ] || break
		daemon_kill hub
		hub --attempts 4
	done
	daemon_run w "$P" hand ipc://run/to-store 10 bad die
	wait_until 10 has store dead 1
	dead | grep -q '"attempts":4,"error":"the worker that had it went away'
	daemon_stop w || true
}

@test "the one line that kills its workers is found, and all others arrive" {
	hub --attempts 5
	(events 1 300; chat killer bad; events 301 600) | put > /dev/null
	all_done() { has store delivered 600 && has store dead 1; }
	for i in $(seq 30); do
		daemon_run "w$i" "$P" hand ipc://run/to-store 256 bad die
		wait_until 20 eval '! daemon_alive w'$i' || all_done'
		! daemon_alive "w$i" || break
		daemon_wait "w$i"
	done
	echo "$i workers"
	all_done
	[ "$i" -le 10 ]
	dead | grep -q '"attempts":5,"error":"the worker that had it went away'
	dead | grep -q killer
}

@test "a worker that hangs is one try, and those beside the line arrive" {
	hub --attempts 3 --deadline 300ms
	(chat a bad; chat b good ann other) | put
	chat c good ann third | put
	stuck store
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 10 has store delivered 3
	daemon_stop w
	unstick store
	has store dead 0
}

# Room, time, memory: what happens at the edges.
load hub

teardown() {
	local bad=0
	daemons_end || bad=1
	if mountpoint -q "$T/small"; then umount -l "$T/small"; fi
	return "$bad"
}

# A file system of its own in $T/small, SIZE large.
small_disk() {
	mkdir -p small
	mount -t tmpfs -o "size=$1" tmpfs small 2>/dev/null || skip "needs to mount a tmpfs: run as root"
}

@test "a full disk: batches are refused with retry, what was accepted is delivered, and it goes on when there is room" {
	small_disk 2m
	echo 'all -> store' > rules
	mkdir run
	daemon_start hub route -L text -R run -d small/spool -r rules --segment 256k --repeat-time 0
	events 1 20000 | put 256 > outcomes
	wait_for hub.err 'write: No space left on device; batches are refused'
	grep -q 'refused 256 \[1 No space left on device, retry\]' outcomes
	acked=$(sed -n 's/^acked \([0-9]*\) .*/\1/p' outcomes | awk '{ n += $1 } END { print n + 0 }')
	[ "$acked" -gt 1000 ]
	# The half group is cut off: what stands there is what was acknowledged.
	[ "$(route -T -d small/spool --from 1 --once | wc -l)" -eq "$acked" ]
	# Delivery goes on, and so do the cursors; that makes room, and it accepts again by itself.
	daemon_run w "$P" take ipc://run/to-store w 256
	ln -sfn small/spool spool
	wait_until 20 has store delivered "$acked"
	wait_until 20 eval 'events 20001 20010 | put | grep -q "acked 10"'
	wait_until 20 has store delivered "$((acked + 10))"
	wait_for hub.err 'accepting again'
	daemon_stop w
	grep '^{' w.out | sort -u | wc -l | grep -qx "$((acked + 10))"
	daemon_stop hub
	daemon_start hub route -L text -R run -d small/spool -r rules
	[ "$(cursor store pending)" = 0 ]
}

@test "a spool limit refuses as a full disk does" {
	hub --limit 1m --segment 128k	# and the repeat window, of ten minutes, gives way
	events 1 8000 | put 256 > outcomes
	grep -q 'the spool has reached its limit, retry' outcomes
	[ "$(cat spool/*.ndjson | wc -c)" -lt 1400000 ]
	acked=$(sed -n 's/^acked \([0-9]*\) .*/\1/p' outcomes | awk '{ n += $1 } END { print n + 0 }')
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 20 eval 'events 8001 8010 | put | grep -q "acked 10"'
	wait_until 20 has store delivered $((acked + 10))
	daemon_stop w
}

@test "a limit below the segment's size: it accepts again when all is delivered" {
	hub --limit 1m
	events 1 8000 | put 256 > outcomes
	grep -q 'the spool has reached its limit, retry' outcomes
	acked=$(sed -n 's/^acked \([0-9]*\) .*/\1/p' outcomes | awk '{ n += $1 } END { print n + 0 }')
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 20 has store delivered "$acked"
	wait_until 10 eval 'events 8001 8010 | put | grep -q "acked 10"'
	daemon_stop w
}

@test "the clock is set back: delivered segments go all the same" {
	PENSTOCK_CLOCK_OFFSET=864000 hub --segment 16k --keep 1s --repeat-time 0
	events 1 500 | put 20 > /dev/null
	daemon_stop hub
	touch -d '+10 days' spool/*.ndjson
	hub --segment 16k --keep 1s --repeat-time 0
	takes store 500 > /dev/null
	wait_until 10 eval '[ "$(ls spool/*.ndjson | wc -l)" -eq 1 ]'
}

@test "segments go when all have passed them, and not before" {
	echo 'all -> a, b' > rules
	hub --segment 16k --repeat-time 0
	events 1 1000 | put 20 > /dev/null
	n=$(ls spool/*.ndjson | wc -l)
	[ "$n" -gt 10 ]
	takes a 1000 > /dev/null
	wait_until 5 has a delivered 1000
	daemon_signal hub HUP
	wait_for hub.err unchanged
	[ "$(ls spool/*.ndjson | wc -l)" -eq "$n" ]
	takes b 1000 > /dev/null
	wait_until 10 eval '[ "$(ls spool/*.ndjson | wc -l)" -eq 1 ]'
	daemon_stop hub
	hub --segment 16k
	events 1001 1002 | put
	take a 256 1 | cmp - <(events 1001 1002)
}

@test "segments within the repeat window and --keep stay" {
	hub --segment 16k
	events 1 1000 | put 20 > /dev/null
	takes store 1000 > /dev/null
	wait_until 5 has store delivered 1000
	n=$(ls spool/*.ndjson | wc -l)
	daemon_stop hub
	hub --segment 16k
	events 500 600 | put > /dev/null
	[ "$(ls spool/*.ndjson | wc -l)" -eq "$n" ]
	daemon_stop hub
	hub --segment 16k --repeat-window 100 --keep 1h
	[ "$(ls spool/*.ndjson | wc -l)" -eq "$n" ]
	daemon_stop hub
	hub --segment 16k --repeat-window 100 --keep-size 100k
	wait_until 5 eval '[ "$(ls spool/*.ndjson | wc -l)" -lt "$n" ]'
	[ "$(cat spool/*.ndjson | wc -c)" -ge 100000 ]
}

@test "a line with notbefore is held until then, over a restart; others pass it" {
	hub
	at=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
	far=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)
	event soon t '{}' "\"notbefore\":\"$at\"" | put
	event far t '{}' "\"notbefore\":\"$far\"" | put
	event past t '{}' '"notbefore":"2020-01-01T00:00:00Z"' | put
	event now t | put
	[ "$(take store 256 1 | ids)" = $'past\nnow' ]
	wait_until 5 has store delivered 2
	daemon_stop hub
	[ "$(cursor store pending)" = 0 ]
	[ "$(cursor .timer pending)" = 2 ]
	# Two seconds before.
	offset=$(($(date -d "$at" +%s) - $(date +%s) - 2))
	PENSTOCK_CLOCK_OFFSET=$offset hub
	[ "$(take store 256 1 | ids)" = soon ]
	[ $(($(date +%s) + offset)) -ge "$(date -d "$at" +%s)" ]
	wait_until 5 has store delivered 3
	daemon_stop hub
	PENSTOCK_CLOCK_OFFSET=90000 hub
	[ "$(take store 256 1 | ids)" = far ]
}

@test "a batch that is not done in time is taken back and given to another" {
	hub --deadline 300ms
	chat a x | put
	stuck store
	take store 1 1 > got
	[ "$(ids got)" = a ]
	wait_until 5 has store delivered 1
	unstick store
}

@test "a worker that hangs with its batch does not stop the others" {
	hub
	events 1 2000 50 | put > /dev/null
	stuck store
	daemon_run w "$P" take ipc://run/to-store w 100
	# 256 of 2000 lines are with the one that hangs; all of their conversations wait, others go.
	events 2001 3000 50 | sed 's/test:r/test:other/' | put > /dev/null
	wait_until 20 eval '[ "$(grep -c test:other w.out)" -eq 1000 ]'
	run -1 has store delivered 3000
	unstick store
	wait_until 20 has store delivered 3000
	daemon_stop w
}

@test "memory stays bounded however long a destination's backlog is" {
	echo 'all -> store, stuck' > rules
	hub
	chat first x | put
	stuck stuck
	daemon_run w "$P" take ipc://run/to-store w 256
	for i in 0 1 2 3 4 5; do events $((i * 50000 + 1)) $((i * 50000 + 50000)) 200 20 | put 1024 > /dev/null; done
	wait_until 60 has store delivered 300001
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_pid hub)/status")
	echo "peak RSS $peak KiB, spool $(cat spool/*.ndjson | wc -c) bytes"
	case $BIN in *san*) ;; *) [ "$peak" -lt 65536 ] ;; esac
	daemon_stop w
	unstick stuck
	daemon_run w "$P" take ipc://run/to-stuck w 4096
	wait_until 60 has stuck delivered 300001
	daemon_stop w
	lanes w.out | cmp - <((chat first x; for i in 0 1 2 3 4 5; do events $((i * 50000 + 1)) $((i * 50000 + 50000)) 200 20; done) | lanes)
}

@test "more workers than descriptors a process begins with: lines still come in" {
	local limit i before
	limit=$(ulimit -Sn)
	ulimit -Sn 64
	hub --segment 4k
	ulimit -Sn "$limit"
	fds() { ls "/proc/$(daemon_pid hub)/fd" | wc -l; }
	before=$(fds)
	for i in {1..8}; do PROBE_CONNS=10 daemon_run "w$i" "$P" take ipc://run/to-store "w$i" 1; done
	wait_until 10 eval '[ "$(fds)" -ge $((before + 80)) ]'
	events 1 100 | put 10 > /dev/null
	wait_until 10 has store delivered 100
	# One that is connected and had no line may not know of signals yet.
	for i in {1..8}; do
		daemon_signal "w$i" KILL
		daemon_wait "w$i"
	done
}

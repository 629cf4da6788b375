# Nobody waits for another one's backlog: turns, shares of the memory, conversations that stand still.
load hub

@test "a tenant with a big backlog does not hold up another one's line" {
	hub
	# The one is far more than the window holds, in few conversations.
	events 1 60000 20 | put 1024 > /dev/null
	[ "$(takes store 1000 50 | wc -l)" -eq 1000 ]
	event x chat.message '{"channel":{"id":"c"},"user":{"id":"u"},"text":"t"}' '"tenant":"other","partitionkey":"k"' > line
	put < line
	# Among the next four batches of 50.
	take store 50 4 > got
	grep -qxF -f line got
	[ "$(wc -l < got)" -le 200 ]
}

@test "the same after a kill, and when its backlog came while nobody was there" {
	hub
	events 1 60000 20 | put 1024 > /dev/null
	daemon_kill hub
	hub -v
	event x chat.message '{"channel":{"id":"c"},"user":{"id":"u"},"text":"t"}' '"tenant":"other","partitionkey":"k"' > line
	put < line
	wait_for hub.err 'destination store: all of the spool was read'
	take store 50 4 > got
	grep -qxF -f line got
}

@test "a conversation with a big backlog does not hold up others of its tenant" {
	hub -s never
	events 1 100000 1 | put 1024 > /dev/null
	event x chat.message '{"channel":{"id":"c"},"user":{"id":"u"},"text":"t"}' '"tenant":"t0","partitionkey":"k"' > line
	takes store 500 50 > /dev/null
	put < line
	daemon_run w "$P" take ipc://run/to-store w 50
	wait_until 30 has store delivered 100001
	daemon_stop w
	at=$(grep -nxF -f line w.out | cut -d : -f 1)
	echo "at $at of 99501"
	[ "$at" -lt 80000 ]
}

@test "backlogs of many tenants, read back and forth over kills: every line arrives, in order in its conversation" {
	hub --window-lines 300
	(events 1 3000 10; events 3001 4000 50 40; events 4001 9000 10; events 9001 12000 30 7) > want
	put 500 < want > /dev/null
	for i in 1 2 3; do
		daemon_run "w$i" "$P" take ipc://run/to-store w 37
		wait_until 20 eval '[ "$(cursor store delivered)" -ge $((i * 2500)) ]'
		if [ "$i" = 2 ]; then daemon_stop hub; else daemon_kill hub; fi
		# It may have had nothing to do, and not know of signals yet: then it ends by this one.
		daemon_signal "w$i" TERM
		daemon_wait "w$i"
		[ "$status" -eq 0 ] || [ "$status" -eq 143 ]
		hub --window-lines 300
	done
	events 12001 13000 30 7 | tee -a want | put > /dev/null
	daemon_run w "$P" take ipc://run/to-store w 64
	# Not "pending 0": the record of before the last lines came may say that.
	wait_until 20 has store delivered 13000
	daemon_stop w
	# A worker's last batches may have come twice; the first time counts.
	cat w1.out w2.out w3.out w.out | awk '!seen[$0]++' | lanes | cmp - <(lanes want)
	[ "$(cat w1.out w2.out w3.out w.out | wc -l)" -lt 14000 ]
}

@test "conversations that are refused again and again stop only themselves" {
	hub --window-lines 400 --attempts 100
	daemon_start to "$P" server ipc://to ack
	PROBE_CONNS=2 daemon_run w "$P" work ipc://run/to-store ipc://to poison
	# Ten conversations whose lines are always refused, many more lines than the window has; then others.
	events 1 3000 10 | sed 's/message number/later/' | put > /dev/null
	events 3001 6000 10 | sed 's/test:r/test:good/' | put > /dev/null
	wait_until 20 has store delivered 3000
	[ "$(cursor store dead)" = 0 ]
}

@test "a line that comes after many poisoned conversations of its tenant" {
	hub --window-lines 400 --attempts 100
	daemon_start to "$P" server ipc://to ack
	PROBE_CONNS=2 daemon_run w "$P" work ipc://run/to-store ipc://to poison
	events 1 9000 40 | sed 's/message number/later/' | put > /dev/null
	events 9001 12000 300 5 | sed 's/test:r/test:good/' | put > /dev/null
	wait_until 20 has store delivered 3000
	[ "$(cursor store dead)" = 0 ]
}

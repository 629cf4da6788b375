# route -T: following the spool.
load hub

# It has seen all there is and waits for more.
_polls() { grep -q poll "/proc/$(daemon_pid "$1")/wchan"; }
at_end() { wait_until 10 _polls "$1"; }

@test "what flows is printed as it comes, from now on, or the last N, or from a number" {
	hub
	events 1 10 | put
	daemon_run tail route -T -d spool
	daemon_run tail3 route -T -d spool -n 3
	at_end tail
	at_end tail3
	events 11 12 | put
	wait_for tail.out '"e-12"'
	cmp tail.out <(events 11 12)
	wait_for tail3.out '"e-12"'
	cmp tail3.out <(events 8 12)
	first=$(basename spool/*.ndjson .ndjson | sed 's/^0*//')
	route -T -d spool --from $((first + 4)) --once | cmp - <(events 5 12)
	route -T -d spool -n 100 --once | cmp - <(events 1 12)
	[ -z "$(route -T -d spool --once)" ]
	daemon_signal tail KILL
	daemon_signal tail3 KILL
	daemon_wait tail
	daemon_wait tail3
}

@test "with an expression only what matches" {
	hub
	(events 1 5; event x other.thing) | put
	[ "$(route -T -d spool --from 1 --once -w 'not type ^= "chat." or data.text ~ "*3"' | ids)" = $'e-3\nx' ]
}

@test "it starts before the spool has a line, and goes over from file to file, those that are removed too" {
	hub --segment 4096 --repeat-time 0
	daemon_run tail route -T -d spool
	at_end tail
	for i in 0 1 2 3 4 5 6 7 8 9; do events $((i * 100 + 1)) $((i * 100 + 100)) | put 10 > /dev/null; done
	# Files go when they are delivered, whoever reads them: it has read them by then.
	wait_until 10 eval '[ "$(wc -l < tail.out)" -ge 1000 ]'
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 5 has store delivered 1000
	wait_until 10 eval '[ "$(ls spool/*.ndjson | wc -l)" -lt 5 ]'
	events 1001 1100 | put 10 > /dev/null
	wait_until 10 eval '[ "$(wc -l < tail.out)" -ge 1100 ]'
	cmp tail.out <(events 1 1100)
	daemon_signal tail KILL
	daemon_wait tail
	daemon_stop w
}

@test "it needs no hub, writes nothing, and a group that is not whole is not shown" {
	hub
	events 1 10 | put 5
	daemon_stop hub
	cp spool/*.ndjson whole
	find spool -type f -exec sha256sum {} + > before
	for cut in 1 30 200; do
		head -c -$cut whole > spool/*.ndjson
		[ "$(route -T -d spool --from 1 --once | wc -l)" -eq 5 ]
	done
	cat whole > spool/*.ndjson
	route -T -d spool --from 1 --once | cmp - <(events 1 10)
	find spool -type f -exec sha256sum {} + | cmp - before
}

@test "it ends well when nobody reads any more" {
	hub
	events 1 1000 | put > /dev/null
	[ "$(route -T -d spool --from 1 | head -n 2 | wc -l)" -eq 2 ]
}

# A full disk: nothing new is taken in, what was accepted goes on to the end, books and letters are kept, and it goes on by itself.
load hub

teardown() {
	local bad=0
	daemons_end || bad=1
	rm -f small/fill
	if mountpoint -q "$T/small"; then umount -l "$T/small"; fi
	return "$bad"
}

small_hub() {
	mkdir -p small run
	mountpoint -q small || mount -t tmpfs -o size="${SIZE:-4m}" tmpfs small 2> /dev/null || skip "needs to mount a tmpfs: run as root"
	[ -e rules ] || echo 'all -> store' > rules
	ln -sfn small/spool spool
	daemon_start hub route -L text -R run -d small/spool -r rules -M run/metrics --repeat-time 0 "$@"
}
fill_up() { dd if=/dev/zero of=small/fill bs=4k status=none 2> /dev/null || true; }
acked() { sed -n 's/^acked \([0-9]*\) .*/\1/p' "$1" | awk '{ n += $1 } END { print n + 0 }'; }
ledger() { route ledger -L text -d spool -R run "$@"; }

@test "dead letters and cursors are kept on a full disk; intake waits until what is held back is whole again" {
	small_hub
	(events 1 400 1; for i in 1 2 3 4 5; do chat "b$i" bad; done) | put > /dev/null
	fill_up
	# It says so until the next batch may try, 200 ms.
	says_full() {
		events 401 440 1 | put > out
		[[ "$(ask control '{"do":"status"}')" == *'"refuses":"No space left on device"}'* ]]
	}
	wait_until 10 says_full
	grep -q '^acked 0 refused 40 \[1 No space left on device, retry\]' out
	# A worker that refuses some lines for good.
	daemon_start next "$P" server ipc://next ack
	daemon_run w "$P" work ipc://run/to-store ipc://next refuse
	wait_until 10 eval '[ "$(cursor store delivered) $(cursor store dead)" = "400 5" ]'
	[ "$(grep -c '"dead":{' spool/dead/store.ndjson)" -eq 5 ]
	ledger > /dev/null
	daemon_kill hub
	ledger > /dev/null
	small_hub
	run -0 put < <(events 401 440 1)
	[[ "$output" == "acked 0 refused 40"* ]]
	rm small/fill
	wait_until 20 eval 'events 401 440 1 | put | grep -q "acked 40"'
	wait_for hub.err 'accepting again'
	[ "$(stat -c %s spool/reserve)" -eq 1048576 ]
	daemon_stop w
	daemon_stop next
}

@test "letters that find no room are written into what is held back" {
	small_hub
	chat a bad | put
	for i in 1 2 3 4 5; do chat "b$i" bad | put; done
	fill_up
	daemon_start next "$P" server ipc://next ack
	daemon_run w "$P" work ipc://run/to-store ipc://next refuse
	wait_until 10 has store dead 6
	[ "$(grep -c '"dead":{' spool/dead/store.ndjson)" -eq 6 ]
	[ "$(stat -c %s spool/reserve)" -lt 1048576 ]
	# Room is held back again before lines are taken in, however few.
	run -0 put < <(events 1 2)
	[[ "$output" == "acked 0 refused 2"* ]]
	wait_for hub.err 'room that is held back is in use'
	rm small/fill
	wait_until 20 eval 'events 1 2 | put | grep -q "acked 2"'
	[ "$(stat -c %s spool/reserve)" -eq 1048576 ]
	ledger > /dev/null
	daemon_stop w
	daemon_stop next
}

@test "a start on a full disk: lines go out, none come in, and it goes on by itself" {
	small_hub
	events 1 500 1 | put > /dev/null
	daemon_kill hub
	fill_up
	small_hub
	run -0 put < <(events 501 540 1)
	[[ "$output" == "acked 0 refused 40"* ]]
	daemon_run w "$P" take ipc://run/to-store w 100
	wait_until 10 has store delivered 500
	grep '^{' w.out | cmp - <(events 1 500 1)
	rm small/fill
	wait_until 20 eval 'events 501 540 1 | put | grep -q "acked 40"'
	daemon_stop w
	# Without the file that holds room back, too.
	daemon_kill hub
	rm spool/reserve
	fill_up
	small_hub
	wait_for hub.err 'reserve: No space left on device; batches are refused until there is room'
	rm small/fill
	wait_until 20 eval 'events 503 504 1 | put | grep -q "acked 2"'
}

@test "full and not full again and again, killed in between: what was acknowledged is delivered once, the books are exact" {
	small_hub --segment 64k
	events 1 20000 30 > want
	"$P" put ipc://run/in 32 < want > outcomes 2> /dev/null 3>&- &
	putter=$!
	daemon_run w "$P" take ipc://run/to-store w 64
	for i in 1 2 3 4 5 6; do
		n=$(acked outcomes)
		wait_until 20 eval '[ "$(acked outcomes)" -gt $((n + 500)) ] || ! kill -0 '$putter' 2> /dev/null'
		fill_up
		wait_until 5 eval '_has_line hub.err "batches are refused" || ! kill -0 '$putter' 2> /dev/null'
		daemon_kill hub
		ledger > /dev/null
		small_hub --segment 64k
		rm -f small/fill
	done
	wait $putter
	n=$(acked outcomes)
	[ "$n" -gt 2000 ]
	wait_until 20 eval 'ledger | grep -q "^store .* 0 *0  yes"'
	daemon_stop w
	grep '}}$' w.out | sort -u | wc -l > kinds
	[ "$(cat kinds)" -ge "$n" ]
}

@test "damage on a full disk: it stays where it is and is passed over; said and put in order when there is room" {
	SIZE=8m small_hub --keep 1d --segment 4k
	events 1 60 1 | put 5 > /dev/null
	daemon_stop hub
	file=$(ls spool/*.ndjson | sed -n 2p)
	size=$(stat -c %s "$file")
	printf X | dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
	fill_up
	SIZE=8m small_hub --keep 1d --segment 4k
	daemon_run w "$P" take ipc://run/to-store w 100
	wait_until 10 eval '[ "$(grep -c "^{" w.out)" -eq 55 ]'
	[ "$(stat -c %s "$file")" -eq "$size" ]
	[ ! -e "spool/damaged/$(basename "$file")" ]
	rm small/fill
	wait_until 20 eval 'grep -q spool.gap w.out'
	daemon_stop w
	daemon_stop hub
	SIZE=8m small_hub --keep 1d --segment 4k
	daemon_stop hub
	[ -e "spool/damaged/$(basename "$file")" ]
	[ "$(spooled | grep -c spool.gap)" -eq 1 ]
	route spool check -d spool
}

@test "all is delivered: what stays for the repeat window only makes room" {
	SIZE=3m small_hub --repeat-time 10m
	daemon_run w "$P" take ipc://run/to-store w 256
	events 1 12000 > want
	split -l 200 want part.
	for part in part.*; do	# as a source does: what was refused comes again
		wait_until 20 eval 'put 200 < $part | grep -q "acked 200"'
	done
	grep -q 'No space left' hub.err
	wait_until 10 has store delivered 12000
	ledger > /dev/null
	daemon_stop w
	sort -u w.out | cmp - <(sort want)
}

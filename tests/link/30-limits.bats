# Many, large, slow.
load probes

@test "a hub that does not read stops the putter, and memory stays flat" {
	events 1 20000 > lines
	daemon_start s "$P" paused ipc://in lines
	"$P" put ipc://in 256 < lines > put.out 2> put.err 3>&- & putter=$!
	begun() { pos=$(awk '/^pos/ { print $2 }' "/proc/$putter/fdinfo/0") && [ "$pos" -gt 0 ]; }
	wait_until 5 begun
	# While this question goes unanswered the putter has all the time it could want.
	run -1 "$P" ask ipc://in x 1000
	[ ! -s put.out ]
	begun
	[ "$pos" -lt $((3 * 256 * 330)) ]
	[ "$(rss_kib s)" -lt 30000 ] || [[ "$BIN" == *asan* ]]
	daemon_signal s USR1
	wait "$putter"
	grep '^{' s.out | cmp - lines
}

@test "a slow reader stops the writer of a pipe" {
	mkfifo pipe
	"$P" work - - < <(yes '{"a":"line"}') > pipe 3>&- & worker=$!
	exec 7< pipe
	head -n 1 <&7 | grep -x '{"A":"LINE"}'
	# It takes what there is room for, and then no more.
	flat() {
		local before
		before=$(awk '/^VmRSS/ { print $2 }' "/proc/$worker/status")
		run -1 "$P" ask ipc://nobody x 500
		[ "$before" -eq "$(awk '/^VmRSS/ { print $2 }' "/proc/$worker/status")" ]
	}
	wait_until 5 flat
	[ "$(awk '/^VmRSS/ { print $2 }' "/proc/$worker/status")" -lt 30000 ] || [[ "$BIN" == *asan* ]]
	exec 7<&-
	rc=0
	wait "$worker" || rc=$?
	[ "$rc" -eq 1 ]
}

@test "a thousand connections, each answered, none left behind" {
	serve s ipc://in ack
	before=$(files_open s)
	(ulimit -n 4096 && daemon_run many "$R" many "$URL" 1000 && wait_for many.out '1000 connected' 60 && daemon_kill many)
	run -0 "$P" put "$URL" <<<line
	same() { [ "$(files_open s)" -eq "$before" ]; }
	wait_until 20 same
	[ "$(rss_kib s)" -lt 40000 ] || [[ "$BIN" == *asan* ]]
}

@test "without descriptors nobody is served a lie: those who are connected go on, the others wait" {
	cat > limited <<-'END'
		#!/bin/sh
		ulimit -n 12
		exec "$@"
	END
	chmod +x limited
	daemon_run s ./limited "$P" server ipc://in ack
	wait_for s.out '^ready'
	daemon_run many "$R" many ipc://in 20
	wait_for s.err 'no further connection can be taken: Too many open files'
	[ "$(grep -c 'no further' s.err)" -eq 1 ]
	daemon_kill many
	run -0 --separate-stderr "$P" put ipc://in <<<line
	[ "$output" = "acked 1 refused 0" ]
}

@test "the largest batch there may be" {
	serve s ipc://in ack
	head -c 1048576 /dev/zero | tr '\0' x > one
	echo >> one
	cat one one one one one > five
	run -0 "$P" put ipc://in 5 < five
	[ "$output" = "acked 5 refused 0" ]
	cat five one > six
	run "$P" put ipc://in 6 < six
	[[ "$output" == *"not sent: Message too long"* ]]
	yes x | head -n 4096 > many
	run -0 "$P" put ipc://in 4096 < many
	[ "$output" = "acked 4096 refused 0" ]
}

@test "an answer over the limit is not sent" {
	serve s ipc://in 'text:x' ack
	run -0 "$P" ask ipc://in x
	[ "$output" = x ]
}

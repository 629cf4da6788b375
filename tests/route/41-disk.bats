# A disk that fails or is slow, played by a library in front of libc.
load hub
load disk

@test "a failed fdatasync: nothing is acknowledged, a new file is begun, numbers go on, nothing is twice" {
	shim_hub
	events 1 5 | put
	: > fail-sync
	run -0 put < <(events 6 8)
	[[ "$output" == "acked 0 refused 3 [1 Input/output error, retry]"* ]]
	wait_for hub.err 'fdatasync: Input/output error; batches are refused'
	# Until a probe works all are refused at once.
	run -0 put < <(events 6 8)
	[[ "$output" == "acked 0 refused 3"* ]]
	[ "$(take store 256 1 | wc -l)" -eq 5 ]
	rm fail-sync
	wait_until 10 eval 'events 6 9 | put | grep -q "acked 4"'
	wait_for hub.err 'accepting again'
	[ "$(ls spool/*.ndjson | wc -l)" -eq 2 ]
	spooled | cmp - <(events 1 9)
	daemon_kill hub
	hub
	take store 256 1 | cmp - <(events 6 9)
}

@test "a file that could not be cut back is cut back when the disk works again" {
	shim_hub
	events 1 5 | put
	: > fail-sync
	: > fail-trunc
	run -0 put < <(events 6 8)
	wait_for hub.err 'cannot be cut back'
	rm fail-sync fail-trunc
	wait_until 10 eval 'events 6 9 | put | grep -q "acked 4"'
	spooled | cmp - <(events 1 9)
}

@test "under a slow disk batches wait together, and each is acknowledged when it is kept" {
	shim_hub
	: > slow-sync
	fds=$(fds)
	for i in 1 2 3 4 5; do
		events $((i * 10)) $((i * 10 + 9)) | daemon_run_put "p$i"
	done
	wait_until 10 have_all_been_read $((fds + 5))
	[ ! -s p1.out ]
	[ ! -s p5.out ]
	rm slow-sync
	for i in 1 2 3 4 5; do wait_for p$i.out 'acked 10 refused 0'; done
	[ "$(spooled | wc -l)" -eq 50 ]
	# The first went alone, the others waited and were committed together (or in two groups).
	[ "$(grep -c '^{"_commit":' spool/*.ndjson)" -le 4 ]
}

daemon_run_put() {
	"$P" put ipc://run/in 256 > "$1.out" 2> /dev/null 3>&- &
	echo $! > "$1.pid"
}
fds() { ls "/proc/$(daemon_pid hub)/fd" | wc -l; }
# The hub has so many descriptors, and it and all putters sleep: nothing is on its way between them.
have_all_been_read() {
	local p state
	[ "$(fds)" -ge "$1" ] || return 1
	for p in "$(daemon_pid hub)" $(cat p?.pid); do
		read -r _ _ state _ < "/proc/$p/stat" && [ "$state" = S ] || return 1
	done
}

@test "a line that repeats one that is not kept yet is not acknowledged before it" {
	shim_hub
	: > slow-sync
	events 1 3 | daemon_run_put first
	wait_until 5 eval 'grep -q e-3 spool/*.ndjson'
	events 2 3 | daemon_run_put second
	events 1 1 | daemon_run_put third
	: > fail-sync
	rm slow-sync
	for f in first second third; do wait_for $f.out 'acked 0 refused . \[1 Input/output error, retry\]'; done
	rm fail-sync
	wait_until 10 eval 'events 1 3 | put | grep -q "acked 3"'
	spooled | cmp - <(events 1 3)
}

@test "a segment that somebody removed is named, and delivery goes on behind it" {
	hub --segment 4k
	events 1 50 | put 10 > /dev/null
	daemon_stop hub
	hub --segment 4k
	rm "$(ls spool/*.ndjson | sed -n 2p)"
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 5 has store delivered 31
	wait_for hub.err 'ndjson: No such file'
	grep '^{' w.out | head -n 30 | cmp - <(events 1 20; events 41 50)
	grep '^{' w.out | tail -n 1 | grep -q '"type":"spool.gap",.*"reason":"No such file or directory"'
	daemon_stop w
	daemon_stop hub
	[ "$(cursor store low)" = "$(cursor store seen)" ]
}

@test "TERM with a batch of standard input that cannot be kept: exit 1, and it says so" {
	echo 'all -> store' > rules
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	shim_hub
	daemon_stop hub
	mkfifo in
	exec 7<>in
	rm hub.err	# the first one's "ready" is not this one's
	LD_PRELOAD=$T/shim.so route -L text -d spool -r rules -i - < in 2> hub.err 3>&- &
	DAEMON_PID[p]=$!
	wait_for hub.err ready
	: > fail-sync
	events 1 3 >&7
	wait_for hub.err 'fdatasync: '
	daemon_signal p TERM
	daemon_wait p
	[ "$status" -eq 1 ]
	grep -q 'a batch of 3 lines was not kept' hub.err
}

# N lines of nearly SIZE bytes.
long_events() {
	local text
	text=$(head -c "$3" /dev/zero | tr '\0' x)
	for ((i = $1; i <= $2; i++)); do event "e-$i" t "{\"text\":\"$text\"}"; done
}

@test "a group is closed at 1 MiB, however much comes while the disk is slow" {
	shim_hub
	: > slow-sync
	events 1 2 | daemon_run_put first
	wait_until 5 eval 'grep -q e-2 spool/*.ndjson'
	long_events 11 14 1000000 | daemon_run_put second
	long_events 21 24 1000000 | daemon_run_put third
	# Both are in its memory.
	wait_until 10 eval '[ "$(awk "/^RssAnon/ { print \$2 }" "/proc/$(daemon_pid hub)/status")" -gt 8000 ]'
	rm slow-sync
	for f in first second third; do wait_for $f.out 'acked . refused 0'; done
	[ "$(spooled | wc -l)" -eq 10 ]
	grep -h '^{"_commit"' spool/*.ndjson | sed 's/.*"bytes":\([0-9]*\).*/\1/' | awk '$1 > 1048576 { exit 1 }'
}

@test "TERM while a group is on its way to the disk: it is kept and acknowledged, then the hub ends" {
	shim_hub
	: > slow-sync
	events 1 3 | daemon_run_put first
	wait_until 5 eval 'grep -q e-3 spool/*.ndjson'
	events 4 6 | daemon_run_put second
	daemon_run w "$P" take ipc://run/to-store w 256
	daemon_signal hub TERM
	wait_for hub.err 'stopping'
	rm slow-sync
	wait_for first.out 'acked 3 refused 0'
	daemon_wait hub
	[ "$status" -eq 0 ]
	daemon_signal w KILL
	daemon_wait w
	spooled | head -n 3 | cmp - <(events 1 3)
	hub
	wait_for second.out 'acked 3 refused 0'
	spooled | cmp - <(events 1 6)
}

@test "reload while a group is on its way and fails: a new destination gets its lines" {
	shim_hub
	events 1 3 | put
	: > slow-log
	events 4 6 | daemon_run_put first
	wait_until 5 eval 'grep -q e-6 spool/*.ndjson'
	echo 'all -> store, extra' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 2 in force'
	: > fail-sync
	rm slow-log
	wait_for first.out 'refused 3'
	rm fail-sync
	wait_until 10 eval 'events 4 9 | put | grep -q "acked 6"'
	timeout "$PATIENCE" "$P" take ipc://run/to-extra w 256 1 | cmp - <(events 4 9)
	timeout "$PATIENCE" "$P" take ipc://run/to-store w 256 1 | cmp - <(events 1 9)
	echo 'all -> store' > rules
	daemon_signal hub HUP
	wait_for hub.err 'extra: no longer in the rules, nothing left'
	echo 'all -> extra, store' > rules
	daemon_signal hub HUP
	wait_for hub.err 'generation 4 in force'
	events 10 12 | put
	timeout "$PATIENCE" "$P" take ipc://run/to-extra w 256 1 | cmp - <(events 10 12)
	daemon_kill hub
	hub
	timeout "$PATIENCE" "$P" take ipc://run/to-store w 256 1 | cmp - <(events 10 12)
}

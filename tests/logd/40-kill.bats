load ../lib/daemon
load logs

@test "killed at any time, nothing that was in the pipe is lost: the next one goes on" {
	mkfifo "$T/in"
	exec {fd}<>"$T/in"	# the pipe's own holder, as supervise is
	for i in 1 2 3 4 5; do
		# Each has lines of its own: one that is fast may take all there is before it is killed.
		size=$(written)
		{ for ((n = i * 4000 - 3999; n <= i * 4000; n++)); do echo "line $n"; done; } >"$T/in" 3>&- &
		writers+=($!)
		daemon_run log sh -c "exec logd -L text -t none '$D' <'$T/in'"
		wait_until 5 grows
		[ "$i" = 5 ] || daemon_kill log
	done
	wait "${writers[@]}"
	echo "line 20001" >"$T/in"
	wait_for "$D/current" '^line 20001$'
	daemon_signal log TERM
	daemon_wait log
	exec {fd}>&-
	# Each is there; what was written and not yet taken out of the pipe may be there twice, a line that was cut stands before its repeat.
	[ "$(grep -xE 'line [0-9]+' "$D/current" | sort -u | wc -l)" -ge 20001 ]
	seq -f 'line %.0f' 20001 | grep -vxFf <(sort -u "$D/current") >"$T/lost" || true
	[ ! -s "$T/lost" ]
}
written() { stat -c %s "$D/current" 2>/dev/null || echo 0; }
grows() { [ "$(written)" -gt "$size" ]; }

@test "after a power loss: zeros at the end are cut off, a torn line is closed, what was there stays" {
	mkdir "$D"
	printf 'one\ntwo\nhal' >"$D/current"
	head -c 5000 /dev/zero >>"$D/current"
	echo next | logd -L text -t none "$D" 2>"$T/err"
	[ "$(cat "$D/current")" = $'one\ntwo\nhal\nnext' ]
	grep -q '5000 zero bytes' "$T/err"
	head -c 9000 /dev/zero >"$D/current"
	echo first | logd -L text -t none "$D" 2>/dev/null
	[ "$(cat "$D/current")" = first ]
}

load ../lib/daemon
load logs

@test "stamps: ISO by default, TAI64N, none" {
	echo hello | logd "$D"
	grep -qE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z hello$' "$D/current"
	echo again | logd -t tai "$D"
	grep -qE '^@4[0-9a-f]{23} again$' "$D/current"
	# tai64nlocal's and svlogd's clock: 2^62 + 10 + Unix seconds.
	[ $((0x$(tail -n 1 "$D/current" | cut -c2-17) - 0x4000000000000000 - 10 - $(date +%s))) -ge -3 ]
	echo bare | logd -t none "$D"
	[ "$(tail -n 1 "$D/current")" = bare ]
	[ "$(wc -l <"$D/current")" -eq 3 ]
}

@test "current is 0644 while it is written and 0744 after a clean end; a line that is not ended gets its LF" {
	mkfifo "$T/in"
	daemon_run log sh -c "exec logd -L text '$D' <'$T/in'"
	exec {fd}>"$T/in"
	printf 'half' >&"$fd"
	wait_for "$D/current" half
	[ "$(stat -c %a "$D/current")" = 644 ]
	exec {fd}>&-
	daemon_wait log
	[ "$status" -eq 0 ]
	[ "$(stat -c %a "$D/current")" = 744 ]
	[ "$(wc -l <"$D/current")" -eq 1 ]
}

@test "files are rotated between lines, whole, and so many are kept" {
	mkdir "$D"
	printf '%s\n' '# small' s1k n3 >"$D/config"
	seq 1000 | logd -t none "$D"
	[ "$(rotated | wc -l)" -eq 3 ]
	for f in $(rotated); do
		[[ $f == @*.s ]]
		[ "$(stat -c %a "$D/$f")" = 744 ]
		[ "$(stat -c %s "$D/$f")" -le 1024 ]
		[ "$(tail -c 1 "$D/$f" | od -An -c | tr -d ' ')" = '\n' ]
	done
	[ "$(all_lines | tail -n 1)" = 1000 ]
	all_lines | awk 'NR > 1 && $1 != p + 1 { exit 1 } { p = $1 }'
	printf '%s\n' s1k n0 >"$D/config"
	seq 1001 2000 | logd -t none "$D"
	[ "$(rotated | wc -l)" -ge 6 ]
}

@test "a line of a megabyte passes whole, in a file of its own" {
	mkdir "$D"
	echo s4k >"$D/config"
	{ echo before; head -c 1000000 /dev/zero | tr '\0' x; echo; echo after; } | logd -t none "$D"
	[ "$(all_lines | wc -l)" -eq 3 ]
	[ "$(all_lines | wc -c)" -eq 1000014 ]
	[ "$(cat "$D/current")" = after ]
}

@test "ALRM rotates, HUP reads config again, TERM writes what is in the pipe and exits 0" {
	mkfifo "$T/in"
	daemon_run log sh -c "exec logd -L text -t none '$D' <'$T/in'"
	exec {fd}>"$T/in"
	echo one >&"$fd"
	wait_for "$D/current" one
	daemon_signal log ALRM
	wait_until 5 rotated_are 1
	[ "$(cat "$D"/@*.s)" = one ]
	echo n1x >"$D/config"
	daemon_signal log HUP
	wait_for "$T/log.err" 'config: line 1: n1x'
	echo s10 >"$D/config"
	daemon_signal log HUP
	echo 123456789 >&"$fd"
	echo 123456789 >&"$fd"
	wait_until 5 rotated_are 2
	kill -STOP "$(daemon_pid log)"
	echo last >&"$fd"
	kill -TERM "$(daemon_pid log)"
	kill -CONT "$(daemon_pid log)"
	daemon_wait log
	[ "$status" -eq 0 ]
	[ "$(cat "$D/current")" = last ]
	exec {fd}>&-
}

@test "age: t rotates what is old, a removes it; nothing is armed for an empty file" {
	mkdir "$D"
	printf '%s\n' t1 a2 >"$D/config"
	mkfifo "$T/in"
	daemon_run log sh -c "exec logd -L text -t none '$D' <'$T/in'"
	exec {fd}>"$T/in"
	echo one >&"$fd"
	wait_until 5 rotated_are 1
	gone() { [ "$(rotated | wc -l)" -eq 0 ]; }
	wait_until 5 gone
	exec {fd}>&-
	daemon_wait log
}

@test "svlogd goes on in our directory, and we in svlogd's" {
	mkdir "$D"
	echo ours | logd -t tai "$D"
	echo theirs | svlogd -t "$D"
	echo ours again | logd -t tai "$D"
	[ "$(grep -cE '^@4[0-9a-f]{23} (ours|theirs|ours again)$' "$D/current")" -eq 3 ]
}

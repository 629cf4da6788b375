load ../lib/daemon
load logs

teardown() {
	local bad=0
	daemons_end || bad=1
	[ -z "${DISK:-}" ] || umount "$DISK" || bad=1
	return "$bad"
}

@test "config: each bad line is named, the others count" {
	mkdir "$D"
	printf '%s\n' s2k n2 '+*' 'x1' s12q "t$(printf '%0300d' 1)" >"$D/config"
	seq 2000 | logd -L text -t none "$D" 2>"$T/err"
	[ "$(rotated | wc -l)" -eq 2 ]
	grep -q 'config: line 3: +\*: known to svlogd only' "$T/err"
	grep -q 'line 4: x1: begins with none' "$T/err"
	grep -q 'line 5: s12q' "$T/err"
	grep -q 'line 6: .*too long' "$T/err"
}

@test "bytes of any kind pass as they are" {
	head -c 200000 /dev/urandom >"$T/bytes"
	echo >>"$T/bytes"
	logd -t none "$D" <"$T/bytes"
	cmp "$T/bytes" "$D/current"
}

@test "a full disk: old files go first, then the writer waits, and nothing is lost when there is room again" {
	mkdir "$D"
	mount -t tmpfs -o size=256k none "$D" 2>/dev/null || skip "needs to mount a tmpfs"
	DISK=$D
	printf '%s\n' s32k n100 N1 >"$D/config"
	mkfifo "$T/in"
	daemon_run log sh -c "exec logd -L text -t none '$D' <'$T/in'"
	exec {fd}>"$T/in"
	seq 100000 110000 >&"$fd"	# 70 kB
	wait_for "$D/current" '^110000$'
	head -c 120000 /dev/zero >"$D/ballast"
	seq 110001 130000 >&"$fd"	# as much again, twice: files must go
	wait_for "$D/current" '^130000$'
	printf '%s\n' s32k n100 N100 >"$D/config"
	daemon_signal log HUP
	cat /dev/zero >>"$D/ballast" 2>/dev/null || true
	seq 130001 150000 >&"$fd" &
	wait_for "$T/log.err" 'current cannot be written: No space left'
	rm "$D/ballast"
	wait_for "$D/current" '^150000$'
	wait $!
	exec {fd}>&-
	daemon_wait log
	all_lines | awk 'NR > 1 && $1 != p + 1 { exit 1 } { p = $1 }'
}

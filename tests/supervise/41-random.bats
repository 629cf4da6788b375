load ../lib/daemon
load services

# Eight kinds of services; each takes a lock, and writes "twice" if another copy of it has it.
make_services() {
	local once='exec 8>lock; flock -n 8 || { echo twice >>twice; exit 1; }; rm -f hang; mkfifo hang'
	service s0 "$once" 'exec cat 8>&- hang'
	service s1 "$once" 'trap : TERM HUP INT ALRM USR1 USR2 QUIT; while :; do read x <>hang; done'
	service s2 "$once" 'exit 1'
	service s3 "$once" 'exit 0'
	service s4 "$once" 'read -r x <>hang'
	script "$S/s4/finish" 'exit 3'
	service s5 "$once" 'cat hang 8>&- & wait'
	service s6 "$once" 'echo said; read -r x <>hang'
	script "$S/s6/log/run" 'exec cat >>out'
	service s7 "$once" 'kill -SEGV $$'
}

@test "a thousand random commands: every service ends up as it was asked to, none ever runs twice, nothing is left" {
	local letters=uudoxtkkpcahiq12 i n
	RANDOM=4711
	make_services
	sup_start -k 500ms
	for ((i = 0; i < 1000; i++)); do
		n=$((RANDOM % 8))
		c=${letters:RANDOM % 15:1}
		[ "$c" != x ] || [ $((RANDOM % 20)) -eq 0 ] || c=t
		# A service that has exited has no reader: that is no fault here.
		printf %s "$c" >>"$T/sent"
		timeout 5 dd if=<(printf %s "$c") of="$S/s$n/supervise/control" oflag=nonblock conv=notrunc status=none 2>/dev/null || true
		[ $((i % 100)) -ne 99 ] || daemon_signal sup ALRM
	done
	daemon_signal sup ALRM
	all_open() { [ "$(supervise -s --json "$S" | jq -r 'select(.state == "exited").name' | wc -l)" -eq 0 ] || { daemon_signal sup ALRM; false; }; }
	wait_until 20 all_open
	for n in 0 1 4 5 6; do
		[ $((n % 2)) -eq 0 ] && sv up s$n || { sv down s$n; sv cont s$n; sv kill s$n; }
		sv cont s$n
	done
	sv down s2 s3 s7
	sv cont s2 s3 s7	# p of a service that is down is shown, too
	for n in 0 4 6; do wait_until 20 stat_is s$n run; done
	for n in 1 2 3 5 7; do wait_until 20 stat_is s$n down; done
	run ! ls "$S"/s*/twice
	sup_stop
	[ -z "$(grep -v 'did not end\|exited with\|was killed\|services are up\|stopping' "$T/sup.err")" ]
}

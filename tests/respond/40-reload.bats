load ../lib/daemon
load ../lib/line

# A respond whose input stays open: lines are written to descriptor 8, answers come to $T/d.out.
open_respond() {
	mkfifo "$T/in"
	respond -F 9 -L text -r "$T/r" "$@" <"$T/in" >"$T/d.out" 2>"$T/d.err" 9>"$T/ready" 3>&- &
	DAEMON_PID[d]=$!
	exec 8>"$T/in"
	wait_until 10 test -s "$T/ready"
}

setup() {
	mkdir "$T/r"
	printf 'command ping\n say one\n' >"$T/r/default.conf"
	printf 'command ping\n say t1\n' >"$T/r/t1.conf"
}

@test "SIGHUP reads the files anew; a bad one is refused and the old replies stay" {
	open_respond -M "$T/metrics"
	chat 1 '!ping' >&8
	wait_for "$T/d.out" '"id":"1.respond".*"text":"one"'

	printf 'command ping\n say two\n' >"$T/r/default.conf"
	daemon_signal d HUP
	wait_for "$T/d.err" '2 replies files .* are in force'
	chat 2 '!ping' >&8
	wait_for "$T/d.out" '"id":"2.respond".*"text":"two"'

	printf 'command ping\n say {\n' >"$T/r/default.conf"
	printf 'command ping\n say new t1\n' >"$T/r/t1.conf"
	daemon_signal d HUP
	wait_for "$T/d.err" 'default.conf:2:7: '
	wait_for "$T/d.err" '1 replies files .* refused'
	chat 3 '!ping' >&8
	chat 4 '!ping' ann lobby t1 >&8
	wait_for "$T/d.out" '"id":"3.respond".*"text":"two"'
	wait_for "$T/d.out" '"id":"4.respond".*"text":"new t1"'

	rm "$T/r/t1.conf"
	printf 'command ping\n say three\n' >"$T/r/default.conf"
	daemon_signal d HUP
	wait_for "$T/d.err" '1 replies files .* are in force'
	chat 5 '!ping' ann lobby t1 >&8
	wait_for "$T/d.out" '"id":"5.respond".*"text":"three"'

	rm -r "$T/r"
	daemon_signal d HUP
	wait_for "$T/d.err" 'replies directory .*No such file'
	chat 6 '!ping' >&8
	wait_for "$T/d.out" '"id":"6.respond".*"text":"three"'
	exec 8>&-
	daemon_wait d
	[ "$status" -eq 0 ]
	grep -aq respond_replies_total "$T/metrics"
}

@test "TERM: what was taken is answered, code 0" {
	open_respond
	chat 1 '!ping' >&8
	wait_for "$T/d.out" '"id":"1.respond"'
	daemon_stop d
	exec 8>&-
}

# Our daemons under other supervisors: runit's runsvdir, s6-svscan, and what the unit files for systemd tell it to do. Nothing of a
# daemon's command line changes: -F 3 is given and, under runit, is no descriptor.
load ../lib/daemon
load ../lib/line
load ../penstock/tree
load services

setup_file() { at_once runit s6 systemd; }

# It runs one command and ends: what it holds then is no leak.
penstock() { ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 command penstock "$@"; }

# A tree with a stage, each service with a finish that keeps what it is told.
others_tree() {
	D=$T/tree
	tree_new
	trap 'ports_end; daemons_end || exit 1' EXIT
	mkdir -p "$D"/{spool,history,run/metrics,log}
	script "$D/service/echo/run" 'cd ../.. || exit 111' \
		"exec stage -i ipc://run/to-echo -o ipc://run/in -F 3 -a line -- sed -u 's/\"id\":\"\\([^\"]*\\)\"/\"id\":\"\\1.echo\"/; s/chat.message/test.echo/'"
	echo 3 >"$D/service/echo/notification-fd"
	echo 'type == "chat.message" -> echo' >>"$D/etc/rules"
	for s in "$D"/service/*; do script "$s/finish" 'echo "$1 $2" >>ends'; done
	export SVDIR=$D/service
}
names="route store analyze respond deliver gatewayd echo"
answered() { [ "$(p export 2>/dev/null | jq -r --arg t "$1" 'select(.type == $t).id' | wc -l)" -ge "$2" ]; }
# What is said goes all the way, and the edge answers.
works() {
	wait_until 20 p send --text '!ping'
	wait_until 20 p send --text 'I love this so much, thank you!'
	wait_until 20 answered message.send "$1"
	wait_until 20 answered analysis.emotion "$1"
	wait_until 20 answered test.echo $((2 * $1))
	edge() { curl -fsS "http://127.0.0.1:$PORT/livez" >/dev/null 2>&1; }
	wait_until 20 edge
}
ended_as() { [ "$(tail -n 1 "$D/service/$1/ends" 2>/dev/null)" = "$2" ]; }
runs_anew() { [ -s "$D/service/$1/supervise/status" ] && [ -n "$(pid_in "$1")" ] && [ "$(pid_in "$1")" != "$2" ]; }

runit() {
	others_tree
	pid_in() { cat "$D/service/$1/supervise/pid"; }
	touch -d '1 minute ago' "$D/service"
	cd "$T"
	daemon_run runit runsvdir -P "$D/service"
	works 1
	for s in $names; do
		old=$(pid_in $s)
		sv kill $s
		wait_until 10 ended_as $s "-1 9"
		wait_until 10 runs_anew $s "$old"
	done
	works 2
	for s in gatewayd echo deliver respond analyze store route; do
		run -0 sv stop $s
		ended_as $s "0 0"
	done
	daemon_signal runit HUP
	daemon_wait runit
	for s in $names; do wait_until 10 flock -n "$D/service/$s/supervise/lock" true; done
	[ -z "$(find "$D" -type s)" ]
}
@test "under runit: all run, die and come back, stop with code 0" { outcome runit; }

s6() {
	command -v s6-svscan >/dev/null || return 0
	others_tree
	cd "$T"
	daemon_run s6 s6-svscan "$D/service"
	up() { s6-svstat -u "$D/service/$1" 2>/dev/null | grep -qx true; }
	for s in $names; do wait_until 10 up $s; done
	pid_in() { s6-svstat -p "$D/service/$1"; }
	(cd "$D/service" && s6-svwait -U -t 20000 $names)
	works 1
	for s in $names; do
		old=$(pid_in $s)
		s6-svc -wR -T 20000 -k "$D/service/$s"	# until it is up again and ready
		ended_as $s "256 9"
		[ "$(pid_in $s)" != "$old" ]
	done
	works 2
	for s in gatewayd echo deliver respond analyze store route; do
		s6-svc -wD -T 20000 -d "$D/service/$s"
		ended_as $s "0 0"
	done
	daemon_stop s6
	[ -z "$(find "$D" -type s)" ]
}
@test "under s6: all say that they are ready, die and come back, stop with code 0" {
	command -v s6-svscan >/dev/null || skip "needs s6"
	outcome s6
}

systemd() {
	others_tree
	make -s -C "$ROOT" B="${BIN%/bin}" BIN="$BIN" PREFIX="$T/usr" install-units
	mkdir -p "$T/usr/libexec"
	ln -s "$BIN" "$T/usr/libexec/penstock"
	units=$T/usr/lib/systemd/system
	run ! grep -r '@[A-Z]*@' "$units"
	if command -v systemd-analyze >/dev/null; then
		mkdir -p "$T/usr/bin" && ln -s "$BIN/penstock" "$T/usr/bin/penstock"
		for u in "$units"/*.service; do
			u=${u##*/} instance=$D
			[ $u != penstock-service@.service ] || instance=$D/service/echo
			SYSTEMD_UNIT_PATH="$units:" run systemd-analyze --man=no --generators=no verify "${u%.service}$(systemd-escape -p "$instance").service"
			[ "$status" -eq 0 ] && [[ $output != *penstock* ]] || { echo "$u: $output" >&2; return 1; }
		done
	fi
	for s in route store analyze respond deliver gatewayd; do
		daemon_run $s "$ROOT/tests/supervise/as-systemd" "$units/penstock-$s@.service" "$D"
		wait_for "$T/$s.out" '^READY=1$'
	done
	daemon_run echo "$ROOT/tests/supervise/as-systemd" "$units/penstock-service@.service" "$D/service/echo"
	wait_for "$T/echo.out" '^READY=1$'
	works 1
	for s in gatewayd echo deliver respond analyze store route; do
		[ $s = echo ] || daemon_signal $s HUP
		daemon_stop $s
		grep -qx STOPPING=1 "$T/$s.out"
		not grep -q "another process" "$T/$s.out"
	done
	# And the whole tree under one unit.
	daemon_run all "$ROOT/tests/supervise/as-systemd" "$units/penstock@.service" "$D"
	wait_for "$T/all.out" '^READY=1$'
	works 2
	# Killed and started again: the same processes.
	before=$(p status --json | jq -c '[.services[] | {name, pid}]')
	kill -9 "$(p status --json | jq .supervise)"
	daemon_wait all
	[ "$status" -eq 137 ]
	daemon_run all "$ROOT/tests/supervise/as-systemd" "$units/penstock@.service" "$D"
	wait_for "$T/all.out" '^READY=1$'
	[ "$(p status --json | jq -c '[.services[] | {name, pid}]')" = "$before" ]
	daemon_stop all
	[ -z "$(find "$D" -type s)" ]
}
@test "as systemd would: the units' commands get ready, reload, and stop with code 0" { outcome systemd; }

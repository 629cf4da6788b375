# daemontools' svok, svstat and svc, and s6-svc where its letters are runit's, read and drive both in the same way.
load ../lib/daemon
load services
load conform
setup_file() { at_once "both tools"; }

tools_services() {
	service plain 'exec sleep 1000'
	service off 'exec sleep 1000'
	touch "$S/off/down"
	service hears 'for s in HUP INT ALRM TERM; do trap "echo $s >>got" $s; done; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'
	service ended 'exec sleep 1000'
	script "$S/ended/finish" 'echo "$@" >>args; mkfifo hang; read -r x <>hang'
	service last 'exec sleep 1000'
}
tools() {
	local c
	cd "$S"
	for s in plain ended last; do wait_until 10 stat_is $s run; done
	wait_until 10 stat_is off down
	there hears && wait_for hears/got go
	for s in plain off nobody; do tell svok $s; done
	tell svstat plain off hears nobody
	quiet svc -d plain
	wait_until 10 stat_is plain down
	tell svstat plain
	quiet svc -u plain
	wait_until 10 stat_is plain run
	quiet svc -o off
	wait_until 10 stat_is off "run, want down"
	tell svstat off
	quiet svc -k off
	wait_until 10 stat_is off down
	for c in h:HUP a:ALRM i:INT t:TERM; do
		quiet svc -${c%:*} hears
		wait_for hears/got ${c#*:}
	done
	quiet svc -p hears
	wait_until 10 stat_is hears "run, paused, got TERM"
	tell svstat hears
	quiet svc -c hears
	wait_until 10 stat_is hears "run, got TERM"
	quiet svc -t ended
	wait_until 10 stat_is ended finish
	tell svstat ended
	quiet svc -d ended
	wait_until 10 stat_is ended "finish, want down"
	tell svstat ended
	echo >ended/hang
	wait_until 10 stat_is ended down
	for c in d:down u:run; do
		quiet s6-svc -${c%:*} plain
		wait_until 10 stat_is plain ${c#*:}
	done
	[ "$WHO" = ours ] || daemon_signal runit STOP
	quiet svc -dx last
	gone() { ! svok last; }
	wait_until 10 gone
	tell svok last
	tell svstat last
}
@test "svok, svstat, svc and s6-svc: the same words and codes" { outcome tools; }

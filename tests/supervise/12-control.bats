# The scripts of control/, and what s6 has in a service directory.
load ../lib/daemon
load services

# got SCRIPT CODE: control/SCRIPT of a notes itself and exits with CODE
got() { script "$S/a/control/$1" "echo $1 >>got" "exit $2"; }

@test "control/C: exit 0 keeps the signal back, anything else lets it go; stdout is the logger's" {
	service a "trap 'echo usr1 >>got' USR1; trap 'echo usr2 >>got' USR2; trap 'echo hup >>got' HUP; echo go >>got; while :; do sleep 1000 & wait; done"
	script "$S/a/log/run" 'exec cat >out'
	got 1 0
	got 2 1
	got h 0
	chmod 644 "$S/a/control/h"
	script "$S/a/control/a" 'echo asked; pwd; echo "$#"; grep SigBlk /proc/self/status'
	sup_start
	wait_for "$S/a/got" go
	sv 1 a
	sv 2 a
	wait_for "$S/a/got" usr2
	sv hup a
	sv alarm a
	wait_for "$S/a/got" "^hup$"
	[ "$(tr '\n' ' ' <"$S/a/got")" = "go 1 2 usr2 hup " ]
	wait_for "$S/a/log/out" SigBlk
	[[ $(cat "$S/a/log/out") == "asked"$'\n'"$S/a"$'\n'"0"$'\n'"SigBlk:"*"0000000000000000" ]]
	sup_stop
}

@test "control/t stands before every TERM, control/d and x behind it, control/u before every start" {
	service a 'trap "echo term >>got; exit 0" TERM; echo run >>got; while :; do sleep 1000 & wait; done'
	for c in t d x u; do got $c 1; done
	sup_start
	wait_for "$S/a/got" run
	run -0 sv -v down a
	wait_for "$S/a/got" d
	run -0 sv -v up a
	wait_until 5 lines_are "$S/a/got" 7	# the trap is set
	run -0 sv exit a
	wait_until 5 sup_is a exited
	wait_for "$S/a/got" x
	# term and d, or x, are of two processes at the same time.
	run -0 sed 's/^term$//; /^$/d' "$S/a/got"
	[ "$(tr '\n' ' ' <<<"$output")" = "u run t d u run t x " ]
	[ "$(grep -c term "$S/a/got")" -eq 2 ]
	sup_stop
}

@test "a control/t that takes over: no TERM was sent, and down still waits for the end" {
	service a 'trap "echo term >>got" TERM; trap "exit 0" USR1; echo run >>got; while :; do sleep 1000 & wait; done'
	script "$S/a/control/t" 'kill -USR1 "$(cat supervise/pid)"'
	sup_start
	wait_for "$S/a/got" run
	run -0 sv -v down a
	[[ $output == "ok: down: a: "* ]]
	[ "$(cat "$S/a/got")" = run ]
	sup_stop
}

@test "a script that hangs holds up its own service's letters, no other's, no death, and not the end" {
	service a 'echo run >>got; exec sleep 1000'
	service b 'exec sleep 1000'
	script "$S/a/control/h" 'echo hangs >>got; exec sleep 1001'
	sup_start -k 300ms
	wait_for "$S/a/got" run
	sv hup a
	wait_for "$S/a/got" hangs
	sv down a
	run -0 sv -v down b
	run -0 sv -v up b
	kill "$(sup_pid a)"
	wait_until 5 restarted a 1
	kill "$(pgrep -f 'sleep 1001' -P "$(daemon_pid sup)")"
	wait_until 5 stat_is a down
	sup_stop
}

@test "many letters of one write wait for the scripts, in order" {
	service a "trap 'echo usr1 >>got' USR1; trap 'echo usr2 >>got' USR2; echo go >>got; while :; do sleep 1000 & wait; done"
	got 1 1
	got 2 1
	sup_start
	wait_for "$S/a/got" go
	printf 1212 >"$S/a/supervise/control"
	# The shell runs a trap once for signals that come while it waits for its turn.
	all_there() { [ "$(grep -cv usr "$S/a/got")" -eq 5 ] && grep -q usr1 "$S/a/got" && grep -q usr2 "$S/a/got"; }
	wait_until 5 all_there
	[ "$(grep -v usr "$S/a/got" | tr '\n' ' ')" = "go 1 2 1 2 " ]
	sup_stop
}

@test "down-signal, timeout-kill, timeout-finish; bad ones are named and do not count" {
	service a 'trap "echo quit >>got; exit 0" QUIT; trap "echo term >>got" TERM; echo go >>got; while :; do sleep 1000 & wait; done'
	echo SIGQUIT >"$S/a/down-signal"
	service b 'trap "" TERM; echo go >>got; while :; do sleep 1000 & wait; done'
	script "$S/b/finish" 'echo "$@" >>args; exec sleep 1000'
	echo 200 >"$S/b/timeout-kill"
	echo 1000 >"$S/b/timeout-finish"	# after it has said what it was told
	service c 'exec sleep 1000'
	echo NONE >"$S/c/down-signal"
	echo soon >"$S/c/timeout-kill"
	sup_start -k 1s	# what b leaves behind ignores TERM as well
	wait_for "$S/a/got" go
	wait_for "$S/b/got" go
	run -0 sv -v down a b c
	[ "$(tail -n 1 "$S/a/got")" = quit ]
	[[ $(cat "$S/b/args") =~ ^256\ 9\ b\ [0-9]+$ ]]	# as s6 does, since there are files of s6
	grep -q 'c/down-signal: not a signal: TERM is sent' "$T/sup.err"
	grep -q 'c/timeout-kill: not a number: it does not count' "$T/sup.err"
	sup_stop
}

@test "a finish that exits with 125 keeps the service down until it is asked for" {
	service a 'echo run >>got; exit 1'
	script "$S/a/finish" 'exit 125'
	daemon_run sup supervise -L text "$S"
	wait_for "$S/a/got" run
	wait_until 5 sup_is a down
	[ "$(sup_field a .want)" = down ]
	[ "$(cat "$S/a/got")" = run ]
	run -0 sv once a
	wait_until 5 lines_are "$S/a/got" 2
	sup_stop
}

@test "max-death-tally: the last deaths are there when finish starts, as s6-permafailon reads them" {
	service a 'exit 7'
	script "$S/a/finish" 'stat -c %s supervise/death_tally >>sizes' 'exec s6-permafailon 60 3 7 exit 0'
	sed -i 's/^exec s6-perm.*/command -v s6-permafailon >\/dev\/null \&\& exec s6-permafailon 60 3 7 true; exit 0/' "$S/a/finish"
	echo 3 >"$S/a/max-death-tally"
	daemon_run sup supervise -L text "$S"
	for i in 1 2; do wait_until 20 lines_are "$S/a/sizes" $i; sv up a; done
	wait_until 20 lines_are "$S/a/sizes" 3
	[ "$(head -n 3 "$S/a/sizes" | tr '\n' ' ')" = "14 28 42 " ]
	if command -v s6-permafailon >/dev/null; then
		wait_until 5 sup_is a down
		[ "$(sup_field a .want)" = down ]
	else
		sv up a
		wait_until 20 lines_are "$S/a/sizes" 4
		[ "$(tail -n 1 "$S/a/sizes")" = 42 ]
	fi
	[ "$(od -An -tu1 -j12 -N2 "$S/a/supervise/death_tally" | tr -s ' ')" = " 7 0" ]
	sup_stop
}

@test "s6-svc's letters b y r O, and D U Q, which make and remove down" {
	service a "for s in ABRT WINCH QUIT; do trap \"echo \$s >>got\" \$s; done; trap 'exit 5' TERM; echo go >>got; while :; do sleep 1000 & wait; done"
	touch "$S/a/max-death-tally"
	script "$S/a/finish" 'echo "$# $*" >>args'
	service off 'exec sleep 1000'
	touch "$S/off/down"
	sup_start
	letter() { printf %s "$2" >"$S/$1/supervise/control"; }
	wait_for "$S/a/got" go
	letter a b
	wait_for "$S/a/got" ABRT
	letter a y
	wait_for "$S/a/got" WINCH
	echo QUIT >"$S/a/down-signal"
	letter a r
	wait_for "$S/a/got" QUIT
	sup_is a run
	rm "$S/a/down-signal"
	pid=$(sup_pid a)
	letter a r
	wait_until 5 restarted a 1
	[ "$(cat "$S/a/args")" = "4 5 0 a $pid" ]
	letter a O
	wait_until 5 stat_is a "run, want down"
	letter off O
	letter a D
	wait_until 5 stat_is a down
	[ -e "$S/a/down" ]
	letter a U
	wait_until 5 sup_is a run
	[ ! -e "$S/a/down" ]
	letter a Q
	wait_until 5 stat_is a "run, want down"
	[ -e "$S/a/down" ]
	sup_is off down
	sup_stop
}

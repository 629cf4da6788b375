# Lives and deaths of services under runit and under supervise: what finish is told, pauses, control/, the logger, what a process is given.
load ../lib/daemon
load services
load conform
setup_file() { at_once "both deaths" "both finishing" "both pace" "both overrides" "both logs" "both given"; }

wants() { [ "$(od -An -c -j17 -N1 "$S/$1/supervise/status" | tr -d ' ')" = "$2" ]; }

# ---- deaths ----

deaths_services() {
	local s
	for s in zero:'exit 0' seven:'exit 7' term:'kill -TERM $$' segv:'ulimit -c 0; kill -SEGV $$' kill:'kill -KILL $$' usr1:'kill -USR1 $$' \
		core:'ulimit -c unlimited; kill -ABRT $$' high:'exit 255'; do
		service "${s%%:*}" '[ ! -e once ] || exec sleep 1000' ': >once' "${s#*:}"
		script "$S/${s%%:*}/finish" 'echo "$# $0 $1 $2" >>args; pwd >>args; exit 1'
	done
	mkdir "$S/none" "$S/plain" "$S/noexec"
	printf '#!/bin/sh\nexit 0\n' >"$S/plain/run"
	printf '#!/nowhere/sh\nexit 0\n' >"$S/noexec/run"
	chmod 755 "$S/noexec/run"
	for s in none plain noexec; do script "$S/$s/finish" 'echo "$# $0 $1 $2" >>args'; done
	service badfinish '[ ! -e once ] || exec sleep 1000' ': >once' 'exit 1'
	echo x >"$S/badfinish/finish"
}
deaths() {
	local s
	for s in zero seven term segv kill usr1 core high badfinish; do
		wait_until 10 stat_is $s run
		wait_until 10 lines_are "$S/$s/once" 0
	done
	for s in zero seven term segv kill usr1 core high; do wait_until 10 lines_are "$S/$s/args" 2; done
	for s in none plain noexec; do wait_until 10 lines_are "$S/$s/args" 1; done
	for s in zero seven term segv kill usr1 core high none plain noexec; do echo "$s: $(head -n 2 "$S/$s/args" | plain)"; done
	for s in zero seven term segv kill usr1 core high badfinish; do wait_until 10 stat_is $s run; done
	show zero
	for s in none plain noexec; do
		quiet sv down $s
		wait_until 10 wants $s d	# runit hears nothing for the second that it waits
		wait_until 10 stat_is $s down
		show $s
		tell sv status $s
	done
}
@test "finish is told the code, or the signal and the core; run that cannot be started is 111" { outcome deaths; }

# ---- finish takes its time ----

finishing_services() {
	service a 'exec sleep 1000'
	script "$S/a/finish" 'echo $$ >pid; echo "$@" >>args; mkfifo hang 2>/dev/null; read -r x <>hang'
	script "$S/a/log/run" 'exec cat >out'
}
in_finish() { stat_is a "$1" && [ -s "$S/a/pid" ] && [ -s "$S/a/supervise/pid" ]; }
finishing() {
	local c
	wait_until 10 stat_is a run
	quiet sv term a
	wait_until 10 in_finish finish
	show a
	tell sv status a
	[ "$(cat "$S/a/pid")" = "$(cat "$S/a/supervise/pid")" ] && say same process
	# Signals and letters go nowhere, but what is wanted changes.
	for c in hup term interrupt 1; do quiet sv $c a; done
	quiet sv once a
	wait_until 10 stat_is a "finish, want down"
	show a
	tell sv status a
	tell sv -w 1 stop a
	echo >"$S/a/hang"
	wait_until 10 stat_is a down
	show a
	cat "$S/a/args"
	quiet sv up a
	wait_until 10 stat_is a run
	rm "$S/a/pid"
	quiet sv down a
	wait_until 10 in_finish "finish, want down"
	quiet sv up a
	wait_until 10 stat_is a finish
	show a
	echo >"$S/a/hang"
	wait_until 10 stat_is a run
	show a
}
@test "while finish runs: shown as such, letters change only what is wanted" { outcome finishing; }

# ---- the second between starts ----

pace_services() {
	service crash 'date +%s%N >>t; [ ! -e enough ] || exec sleep 1000; exit 0'
	service long 'date +%s%N >>t; exec sleep 1000'
	service gone 'echo x >>n; exit 1'
	touch "$S/gone/down"
}
seen_down() {
	stat_is crash down && { show crash; tell sv status crash; } >"$T/seen.$WHO" &&
		grep -q '; down$' "$T/seen.$WHO" && grep -q '^down: ' "$T/seen.$WHO"
}
pace() {
	local t
	wait_until 10 stat_is long run
	wait_until 10 lines_are "$S/crash/t" 1
	# It is down for a second at a time: both looks must fall into one.
	wait_until 10 seen_down
	cat "$T/seen.$WHO"
	wait_until 10 lines_are "$S/crash/t" 3
	: >"$S/crash/enough"
	t=$(awk 'NR > 1 && (NR == 2 || $1 - last < least) { least = $1 - last } { last = $1 } END { print int(least / 100000000) }' "$S/crash/t")
	[ "$t" -ge 10 ] && [ "$t" -le 19 ] && say "a start after a second"
	lived() { [ "$(date +%s%N)" -ge $(($(cat "$S/long/t") + 1100000000)) ]; }
	wait_until 10 lived
	quiet sv kill long
	wait_until 10 lines_are "$S/long/t" 2
	mapfile -t t <"$S/long/t"
	[ $((t[1] - t[0])) -gt 1000000000 ] && say "and after a longer life"
	# Once, and it dies by itself: it stays down.
	quiet sv once gone
	wait_until 10 lines_are "$S/gone/n" 1
	wait_until 10 stat_is gone down
	show gone
	tell sv status gone
	wc -l <"$S/gone/n"
}
@test "a second between starts; at once after a longer life; once is once" { outcome pace; }

# ---- control/ ----

overrides_services() {
	local c
	# The script of each letter says so and gives the code of the file code.
	service a 'for s in HUP INT QUIT ALRM USR1 USR2 TERM CONT; do trap "echo $s >>got" $s; done; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'
	script "$S/a/log/run" 'exec cat >out'
	for c in t k p c a h i q 1 2; do
		script "$S/a/control/$c" "echo letter $c \$# \$0; pwd | sed s,.*/,,; sed -n 's/^SigBlk.*\\(.....\\)\$/\\1/p' /proc/self/status >blocked.$c" 'exit "$(cat code)"'
	done
	echo 0 >"$S/a/code"
	service stops 'trap "echo got term >>got; exit 0" TERM; trap "echo CONT >>got" CONT; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'
	for c in u d t x; do script "$S/stops/control/$c" "echo $c \$# \$0 >>said" 'exit 0'; done
	service goes 'trap "echo got term >>got; exit 0" TERM; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'
	for c in u d t x; do script "$S/goes/control/$c" "echo $c >>said" 'exit 1'; done
	service noexec 'trap "echo hup >>got" HUP; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'
	mkdir "$S/noexec/control"
	printf '#!/bin/sh\necho no >>said\n' >"$S/noexec/control/h"
}
overrides() {
	local c pid s
	for s in a stops goes noexec; do there $s && wait_for "$S/$s/got" go; done
	# Exit 0: the signal is not sent.
	# Not k: runit then forgets the process.
	for c in t p c a h i q 1 2; do
		quiet sv "$c" a
		wait_for "$S/a/log/out" "letter $c 0"
	done
	show a
	cat "$S/a/got"
	echo 1 >"$S/a/code"
	: >"$S/a/got"
	for c in h:HUP i:INT q:QUIT a:ALRM 1:USR1 2:USR2 t:TERM; do
		quiet sv "${c%:*}" a
		wait_for "$S/a/got" "${c#*:}"
	done
	wait_until 10 stat_is a "run, got TERM"
	quiet sv p a
	wait_until 10 stat_is a "run, paused, got TERM"
	quiet sv c a
	wait_for "$S/a/got" CONT
	show a
	pid=$(cat "$S/a/supervise/pid")
	quiet sv k a
	wait_until 10 process_gone "$pid"
	cat "$S/a/log/out"
	cat "$S/stops/said"	# u comes before every start
	# control/t took TERM over: it is only continued, and not said to have got TERM.
	quiet sv down stops
	wait_for "$S/stops/said" d
	wait_for "$S/stops/got" CONT
	show stops
	cat "$S/stops/said" "$S/stops/got"
	quiet sv kill stops
	wait_until 10 stat_is stops down
	quiet sv up stops
	wait_until 10 stat_is stops run
	cat "$S/stops/said"
	quiet sv down goes
	wait_until 10 stat_is goes down
	cat "$S/goes/said" "$S/goes/got"
	quiet sv hup noexec
	wait_for "$S/noexec/got" hup
	[ ! -e "$S/noexec/said" ] && say "not looked at: not executable"
	quiet sv up goes
	wait_until 10 stat_is goes run
	[ "$WHO" = ours ] || daemon_signal runit STOP
	quiet sv exit goes
	wait_for "$S/goes/said" x
	cat "$S/goes/said"
}
@test "control/: takes a letter over or goes before it; its output goes to the logger" { outcome overrides; }

# ---- the logger ----

logs_services() {
	service a 'n=0; while read -r x; do n=$((n + 1)); echo "$n $x"; echo "$x" >>wrote; done <>hang'
	mkfifo "$S/a/hang"
	script "$S/a/finish" 'echo finish "$@"'
	script "$S/a/log/run" 'echo begun >>starts; while read -r x; do echo "$x" >>out; done; echo end >>out'
	script "$S/a/log/finish" 'echo never >>out'
	service waits 'echo one; exec sleep 1000'
	script "$S/waits/log/run" 'exec cat >>out'
	touch "$S/waits/log/down"
	service links 'echo hello; exec sleep 1000'
	script "$T/target.$WHO/run" 'exec cat >out'
	ln -s "$T/target.$WHO" "$S/links/log"
	ln -s "$T/away.$WHO" "$S/links/supervise"
}
logs() {
	local pid
	wait_until 10 lines_are "$S/a/log/starts" 1
	echo one >"$S/a/hang"
	wait_for "$S/a/log/out" "1 one"
	there a/log
	pid=$(cat "$S/a/log/supervise/pid")
	kill -9 "$pid"
	wait_until 10 lines_are "$S/a/log/starts" 2
	echo two >"$S/a/hang"
	wait_for "$S/a/log/out" "2 two"
	tell sv -v down a/log
	show a/log
	echo three >"$S/a/hang"
	wait_for "$S/a/wrote" three
	tell sv status a
	quiet sv kill a
	wait_until 10 stat_is a run
	quiet sv up a/log
	wait_for "$S/a/log/out" "finish -1 9"
	cat "$S/a/log/out"
	# Told to exit, a logger alone does nothing.
	printf x >"$S/a/log/supervise/control"
	quiet sv term a/log
	wait_until 10 lines_are "$S/a/log/starts" 4
	wait_until 10 stat_is a/log run
	show a/log
	show waits/log
	quiet sv up waits/log
	wait_for "$S/waits/log/out" one
	wait_for "$T/target.$WHO/out" hello
	(cd "$T/away.$WHO" && stat -c '%n %F %a' . ./*)
	tell sv status links
	tell sv -v stop links
}
@test "the logger: its pipe outlives both ends, finish writes to it, it has no finish and no exit; links" { outcome logs; }

# ---- what a process is given ----

given_services() {
	service a 'exec sleep 1000'
	service logged 'exec sleep 1000'
	script "$S/logged/log/run" 'exec cat'
	service finishes '[ ! -e once ] || exec sleep 1001; : >once; exit 1'
	script "$S/finishes/finish" 'exec sleep 1000'
}
given() {
	local s
	for s in a logged logged/log; do wait_until 10 stat_is $s run; done
	wait_until 10 stat_is finishes finish
	for s in a logged logged/log finishes; do
		execed() { case $(cat "/proc/$(cat "$S/$s/supervise/pid")/comm") in sleep | cat) ;; *) return 1 ;; esac; }
		wait_until 10 execed
		tree $s
	done
	[ "/proc/$(cat "$S/logged/supervise/pid")/fd/1" -ef "/proc/$(cat "$S/logged/log/supervise/pid")/fd/0" ] && say "one pipe"
}
@test "what run, finish and log/run are given: words, directory, descriptors, signals, limits, environment" { outcome given; }

# Debian's unmodified sv, under runit's runsvdir with its runsv and under supervise: the same words, exit codes, files and bytes.
load ../lib/daemon
load services
load conform
setup_file() { at_once "both states" "both signals" "both waits" "both names" "both leaves"; }

wants() { [ "$(od -An -c -j17 -N1 "$S/$1/supervise/status" | tr -d ' ')" = "$2" ]; }
termed() { [ "$(od -An -tu1 -j18 -N1 "$S/$1/supervise/status" | tr -d ' ')" = "$2" ]; }
# Ignores all it can, and tells what came; no process but its own.
hears='for s in HUP INT QUIT ALRM USR1 USR2 TERM; do trap "echo $s >>got" $s; done; echo go >>got; mkfifo hang; while :; do read -r x <>hang; done'

# ---- status, up, down, once ----

states_services() {
	service plain 'exec sleep 1000'
	service off 'exec sleep 1000'
	touch "$S/off/down"
	service logged 'echo hello; exec sleep 1000'
	script "$S/logged/log/run" 'exec cat >out'
	service mute 'exec sleep 1000'
	script "$S/mute/log/run" 'exec cat >out'
	touch "$S/mute/log/down"
	service ended 'exec sleep 1000'
	script "$S/ended/finish" 'echo "$@" >>args'
}
states() {
	local s
	for s in plain logged logged/log mute ended; do wait_until 10 stat_is "$s" run; done
	for s in off mute/log; do wait_until 10 stat_is "$s" down; done
	wait_for "$S/logged/log/out" hello
	tell sv status plain off logged mute ended
	tell sv s plain
	show plain off logged logged/log mute mute/log ended
	for s in plain logged ended; do
		tell sv -v down $s
		show $s
		tell sv status $s
		tell sv -v up $s
		show $s
	done
	tell sv start off
	tell sv status off
	# One at a time: of several it prints first who is there first.
	for s in logged/log mute; do tell sv stop $s; done
	tell sv status logged mute
	for s in logged/log mute/log; do tell sv start $s; done
	tell sv status logged mute
	tell sv -v once plain
	show plain
	tell sv once off	# it runs: only not again
	wait_until 10 wants off d
	show off
	tell sv kill off
	wait_until 10 stat_is off down
	older off
	tell sv -v o off
	show off
	# Up meets its condition at once, so what sv prints may be from before its letter.
	quiet sv up plain
	wait_until 10 wants plain u
	tell sv status plain
	cat "$S/ended/args"
}
@test "status, up, down, once, start, stop: of services, loggers, with down and finish" { outcome states; }

# ---- signals ----

deadly="term kill hup interrupt 1 2 alarm quit"
signals_services() {
	local s
	service hears "$hears"
	for s in $deadly; do service dies.$s 'exec sleep 1000'; done
	service off 'exec sleep 1000'
	touch "$S/off/down"
}
signals() {
	local c old
	there hears && wait_for "$S/hears/got" go
	for c in hup:HUP alarm:ALRM interrupt:INT quit:QUIT 1:USR1 2:USR2 term:TERM h:HUP a:ALRM i:INT q:QUIT t:TERM; do
		: >"$S/hears/got"
		tell sv "${c%:*}" hears
		wait_for "$S/hears/got" "${c#*:}"
	done
	wait_until 10 termed hears 1
	show hears
	tell sv -v pause hears
	show hears
	wait_until 10 stopped "$(cat "$S/hears/supervise/pid")"
	tell sv status hears
	tell sv -v cont hears
	show hears
	for c in $deadly; do
		wait_until 10 stat_is dies.$c run
		old=$(cat "$S/dies.$c/supervise/pid")
		quiet sv $c dies.$c
		wait_until 10 process_gone "$old"
	done
	# Nothing runs: letters go nowhere, p and c change what is shown.
	for c in hup alarm interrupt quit 1 2 term kill; do quiet sv $c off; done
	show off
	tell sv pause off
	wait_until 10 stat_is off "down, paused"
	tell sv status off
	tell sv -v cont off
	wait_until 10 stat_is off down
	show off
	: >"$S/hears/got"
	printf 'zy\n 3Hhg' >"$S/hears/supervise/control"
	wait_for "$S/hears/got" HUP
	show hears
}
@test "signals: each arrives, is shown, and nowhere else; letters that are none are ignored" { outcome signals; }

# ---- waiting: restart, check, force-, time-outs ----

waits_services() {
	local s
	for s in plain other; do service $s 'exec sleep 1000'; done
	service third 'trap "" HUP; exec sleep 1000'	# reload waits for nothing: what it shows of one that dies of it is chance
	for s in hears deaf mute; do service $s "$hears"; done
	service never 'exec sleep 1000'
	script "$S/never/check" 'exit 1'
	service later 'rm -f n; exec sleep 1000'
	script "$S/later/check" 'echo x >>n; pwd >where; echo "$#" >>where; [ "$(wc -l <n)" -ge 2 ]'
	service off 'exec sleep 1000'
	touch "$S/off/down"
}
waits() {
	local s
	for s in plain other third never later; do wait_until 10 stat_is $s run; done
	for s in hears deaf mute; do there $s && wait_for "$S/$s/got" go; done
	older plain other third later hears deaf mute
	together "sv restart plain" "sv force-restart other" "sv reload third" "sv -w 1 restart hears" "sv -w 1 down deaf" "sv -w 1 force-stop mute" \
		"sv -v -w 1 start never" "sv start later" "sv check off"
	wait_until 10 termed hears 1
	wait_until 10 stat_is mute down
	show hears deaf mute
	older hears
	together "sv -w 1 force-restart hears" "sv check plain" "sv -w 1 check never" "sv force-reload later" "sv try-restart off"
	# Up meets its condition at once, so what sv prints may be from before its letter.
	quiet sv up deaf
	wait_until 10 wants deaf u
	older plain off
	together "sv try-restart plain" "sv restart off" "sv -w 1 force-reload deaf"
	plain <"$S/later/where"
	for s in plain off never; do tell sv stop $s; done
}
@test "restart, reload, try-restart, check, force-stop, force-restart, and their time-outs" { outcome waits; }

# ---- usage, names, exit codes ----

names_services() {
	service plain 'exec sleep 1000'
	service off 'exec sleep 1000'
	touch "$S/off/down"
	mkdir "$S/.hidden"
	echo '#!/bin/sh' >"$S/file"
}
names() {
	local s
	wait_until 10 stat_is plain run
	wait_until 10 stat_is off down
	tell sv status nobody
	tell sv status .hidden
	tell sv status file
	tell sv nonsense plain
	tell sv refresh plain
	tell sv
	tell sv -w 1
	tell sv status "$S/plain"
	(cd "$S/plain" && tell sv status ./ && tell sv status .)
	tell sv status plain off nobody other
	ln -s "$(command -v sv)" "$S/plain/plain"
	ln -s "$(command -v sv)" "$S/off/off"
	tell "$S/plain/plain" status	# as an LSB script: 0 up, 3 down
	tell "$S/off/off" status
	tell "$S/plain/plain"
	modes plain
}
@test "names, relative and absolute; several at once; wrong usage; as an LSB script; modes of the files" { outcome names; }

# ---- exit ----

leaves_services() {
	service plain 'exec sleep 1000'
	service ended 'exec sleep 1000'
	script "$S/ended/finish" 'echo "$@" >>args'
	service hears "$hears"
	service logged 'echo first; trap "echo last; exit 5" TERM; mkfifo hang; read -r x <>hang'
	script "$S/logged/log/run" 'cat >out; echo end >>out'
	service forced "$hears"
}
unsupervised() { ! { : >"$S/$1/supervise/ok"; } 2>/dev/null; }
unlocked() { flock -n "$S/$1/supervise/lock" true; }
leaves() {
	local s
	for s in plain ended; do wait_until 10 stat_is $s run; done
	there logged && wait_for "$S/logged/log/out" first
	for s in hears forced; do there $s && wait_for "$S/$s/got" go; done
	# runsvdir would start a new runsv, within five seconds.
	[ "$WHO" = ours ] || daemon_signal runit STOP
	tell sv -v exit plain
	tell sv status plain
	tell sv up plain
	show plain
	tell sv shutdown ended
	cat "$S/ended/args"
	tell sv shutdown logged
	wait_until 10 unlocked logged
	cat "$S/logged/log/out"
	show logged logged/log
	quiet sv exit hears
	wait_until 10 stat_is hears "run, got TERM, want exit"
	show hears
	tell sv status hears
	quiet sv kill hears
	wait_until 10 unlocked hears
	tell sv -w 1 force-shutdown forced
	wait_until 10 unlocked forced
	tell sv status hears ended logged forced
	tell sv exit plain
}
@test "exit, shutdown, force-shutdown: finish and logger see the end, and then nobody supervises" { outcome leaves; }

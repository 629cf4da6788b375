load ../lib/daemon
load services

L=$T/logs
logd_pid() { pgrep -P "$(daemon_pid sup)" -x logd; }
new_logd() { local p; p=$(logd_pid) && [ "$p" != "$1" ]; }
said() { sed 's/^[^ ]* //' "$L/$1/current"; }

@test "logs: stdout and stderr of services without log/, by one logd; deaths stand between the lines; own loggers are not touched" {
	service a 'echo out; echo err >&2; exec sleep 1000'
	service b 'echo once; printf half; exit 3'
	service c 'echo mine; exec sleep 1000'
	script "$S/c/log/run" 'exec cat >out'
	script "$S/a/finish" 'echo finished'
	sup_start_not_ready -l "$L"
	wait_for "$L/b/current" 'supervise: warning: b: process [0-9]+ exited with code 3 after 0\.'
	wait_for "$L/a/current" err
	wait_for "$S/c/log/out" mine
	[ "$(said b | head -n 3 | cut -d' ' -f1-3)" = $'once\nhalf\nsupervise: warning: b:' ]
	sv kill a
	wait_for "$L/a/current" finished
	[ "$(said a | sed -n '1,2p;4p')" = $'out\nerr\nfinished' ]
	said a | grep -qE '^supervise: a: process [0-9]+ was killed by signal 9'
	[ ! -e "$L/c" ]
	[ "$(pgrep -c -P "$(daemon_pid sup)" -x logd)" -eq 1 ]
	sup_stop
	[ "$(stat -c %a "$L/a/current")" = 744 ]
}

@test "logs: what is said last, at the stop too, is there; nothing is written to supervise's own stderr but with -e" {
	service a 'trap "echo bye; exit 0" TERM; echo hello; while :; do sleep 1000 & wait; done'
	script "$S/a/finish" 'echo finished "$1"'
	sup_start -l "$L" -e -t none
	wait_for "$L/a/current" hello
	sup_stop
	[ "$(grep -v '^supervise: ' "$L/a/current")" = $'hello\nbye\nfinished 0' ]
	grep -qx hello "$T/sup.err"
	sup_start -l "$L" -t tai
	wait_for "$L/a/current" '^@4[0-9a-f]{23} hello'
	sup_stop
	run ! grep -qx hello "$T/sup.err"
}

@test "logs: logd may be killed at any time; it comes again and nothing is lost" {
	service a 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done; exec sleep 1000'
	sup_start -l "$L" -t none
	old=$(logd_pid) && kill -9 "$old"
	wait_until 10 new_logd "$old"
	wait_for "$L/a/current" '^line 3000$'
	[ "$(grep -xE 'line [0-9]+' "$L/a/current" | sort -u | wc -l)" -eq 3000 ]
	sup_stop
}

@test "logs: supervise is killed: services keep their pipe, the next one's logd takes over" {
	service a 'trap "echo got it" USR1; echo begin; while :; do sleep 1000 & wait; done'
	sup_start -l "$L" -t none
	wait_for "$L/a/current" begin
	pid=$(sup_pid a) old=$(logd_pid)
	daemon_kill sup
	kill -USR1 "$pid"
	wait_for "$L/a/current" 'got it'
	kill -0 "$old"
	sup_start -l "$L" -t none
	[ "$(sup_pid a)" = "$pid" ]
	wait_until 10 process_gone "$old"
	kill -USR1 "$pid"
	twice() { [ "$(grep -cx 'got it' "$L/a/current")" -eq 2 ]; }
	wait_until 5 twice
	sup_stop
}

@test "logs: supervise and logd killed again and again, also both: every line that was written is there" {
	service a 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i"; done; exec sleep 1000'
	sup_start -l "$L" -t none
	pid=$(sup_pid a)
	for what in both logd sup both; do
		old=$(logd_pid)
		case $what in
		logd) kill -9 "$old"; wait_until 10 new_logd "$old"; continue ;;
		both) kill -STOP "$(daemon_pid sup)"; kill -9 "$old" ;;
		esac
		daemon_kill sup
		sup_start -l "$L" -t none
	done
	wait_for "$L/a/current" '^line 20000$'
	[ "$(sup_pid a)" = "$pid" ]
	sup_stop
	seq -f 'line %.0f' 20000 | grep -vxFf <(sort -u "$L/a/current") >"$T/lost" || true
	[ ! -s "$T/lost" ]
}

@test "logs: the next supervise has another folder: the old logd goes" {
	service a 'trap "echo got it" USR1; echo begin; while :; do sleep 1000 & wait; done'
	sup_start -l "$L" -t none
	wait_for "$L/a/current" begin
	old=$(logd_pid)
	daemon_kill sup
	sup_start -l "$T/other" -t none
	wait_until 10 process_gone "$old"
	kill -USR1 "$(sup_pid a)"
	wait_for "$T/other/a/current" 'got it'
	sup_stop
}

@test "logs: a logd that cannot be started holds up no stop for longer than -k says" {
	mkdir "$T/alone"
	cp "$BIN/supervise" "$T/alone/"	# no logd beside it
	service a 'echo hello; exec sleep 1000'
	daemon_start sup "$T/alone/supervise" -L text -k 500ms -l "$L" "$S"
	wait_for "$T/sup.err" 'logd: No such file'
	sup_stop
	grep -q 'left in the pipes of services is lost' "$T/sup.err"
}

@test "logs: a folder that cannot be written holds up nobody but the writer, and is told once" {
	service a 'echo hello; exec sleep 1000'
	mkdir "$L" && touch "$L/a"
	sup_start -l "$L" -t none
	wait_for "$T/sup.err" 'a: the directory cannot be opened: .*waits in its pipe'
	run -0 sv restart a
	rm "$L/a"
	wait_for "$L/a/current" hello
	[ "$(grep -c 'cannot be opened' "$T/sup.err")" -eq 1 ]
	sup_stop
}

@test "supervise -s: exit causes, uptime, memory and time, restarts within the hour, deaths with what was said; also over a restart" {
	service a 'echo "one thing"; echo "another \"thing\""; printf "bad \377 byte\n"; kill -SEGV $$'
	service b 'echo >&3; exec sleep 1000' && echo 3 >"$S/b/notification-fd"
	sup_start_not_ready -l "$L"
	wait_until 10 restarted a 1
	wait_until 5 sup_is b run
	wait_until 5 jq_is b '.ready == true'
	has_lines() { [ "$(sup_field a '.deaths[1].lines | join("|")')" = 'one thing|another "thing"|bad ? byte' ]; }
	wait_until 5 has_lines
	# Also when the log was rotated since.
	sv down a
	wait_until 5 sup_is a down
	cat "$L/a/current" >"$L/a/@400000006b00b97606d82490.s"
	: >"$L/a/current"
	[ "$(sup_field a '.deaths[1].lines | join("|")')" = 'one thing|another "thing"|bad ? byte' ]
	sv up a
	wait_until 5 restarted a 2
	wait_until 5 jq_is a '.last_exit.signal == 11 and .last_exit.code == null and .restarts_last_hour >= 1 and .restarts_last_hour == .restarts'
	jq_is a '(.deaths | length) >= 2 and .deaths[0].signal == 11 and .deaths[0].asked == false and .deaths[0].lived < 5 and (.deaths[0].at | startswith("20"))'
	jq_is b '.memory > 100000 and .cpu_seconds >= 0 and .deaths == [] and (.ready_since | startswith("20")) and .seconds >= 0'
	sv term b
	wait_until 5 restarted b 1
	jq_is b '(.deaths | length) == 1 and .deaths[0].asked and .restarts_last_hour == 1'
	sup_stop
	sup_start_not_ready -l "$L"
	wait_until 5 sup_is b run
	jq_is b '(.deaths | length) == 2 and .restarts_last_hour == 1 and .restarts == 0'	# one death was the stop
	sup_stop
}
jq_is() { supervise -s --json "$S" >"$T/json" || true; jq -se --arg n "$1" "map(select(.name==\$n))[0] | $2" <"$T/json" >"$T/answer" || { cat "$T/json" "$T/answer"; return 1; }; }

@test "logs: nothing wakes up when nobody writes" {
	service a 'echo hello; exec sleep 1000'
	sup_start -l "$L"
	wait_for "$L/a/current" hello
	pid=$(logd_pid)
	switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"; }
	still() { local a b; a=$(switches "$pid") c=$(switches "$(daemon_pid sup)"); read -r -t 1.5 x <>"$T/still" || true; [ "$(switches "$pid")" = "$a" ] && [ "$(switches "$(daemon_pid sup)")" = "$c" ]; }
	mkfifo "$T/still"
	wait_until 10 still
	sup_stop
}

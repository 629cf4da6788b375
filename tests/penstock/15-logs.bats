load ../lib/daemon
load tree

# A service beside route: service NAME LINE...
service() {
	local dir=$D/service/$1
	shift
	mkdir -p "$dir"
	printf '%s\n' '#!/bin/sh' "$@" >"$dir/run"
	chmod 755 "$dir/run"
}
log_has() { grep -q -e "$2" "$D/log/$1/current"; }

@test "logs: what services wrote, by time, level, number; -f goes on over a rotation; --raw" {
	tree_small
	rm -r "$D/service/route"
	service talk 'echo "{\"level\":\"warn\",\"msg\":\"json\"}"; echo "talk: error: text"; echo plain; while read -r x <go; do echo "$x"; done'
	mkfifo "$D/service/talk/go"
	service other 'echo "from other"; exec sleep 1000'
	tree_up
	exec {fd}<>"$D/service/talk/go"
	wait_until 5 log_has talk plain
	wait_until 5 log_has other 'from other'
	run -0 p logs talk
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[2]} == 20??-??-??T??:??:??.???Z\ plain ]]
	run -0 p logs --level warn --raw
	[ "$output" = $'{"level":"warn","msg":"json"}\ntalk: error: text' ]
	run -0 p logs --level error talk
	[[ $output == *"Z talk: error: text" && ${#lines[@]} -eq 1 ]]
	run -0 p logs -n 2 talk --raw
	[ "$output" = $'talk: error: text\nplain' ]
	run -0 p logs
	[ "${#lines[@]}" -eq 4 ]
	[[ $output == *"Z other: from other"* && $output == *"Z talk: plain"* ]]
	run -0 p logs --since 1h talk
	[ "${#lines[@]}" -eq 3 ]
	run -0 p logs --since 2100-01-01T00:00:00Z talk
	[ -z "$output" ]
	daemon_run follow penstock -C "$D" logs -f -n 1 --raw talk
	wait_for "$T/follow.out" plain
	printf '%s\n' s200 x >"$D/log/talk/config"
	kill -HUP "$(pgrep -P "$(p status --json | jq .supervise)" -x logd)"
	wait_for "$D/log/penstock.log" 'talk/config: line 2: x'
	for i in $(seq 40); do echo "line number $i" >&"$fd"; done
	wait_for "$T/follow.out" '^line number 40$'
	[ "$(wc -l <"$T/follow.out")" -eq 41 ]
	[ "$(ls "$D/log/talk" | grep -c '^@')" -ge 2 ]
	kill "$(daemon_pid follow)"
	wait_until 5 process_gone "$(daemon_pid follow)"
	unset 'DAEMON_PID[follow]'
	# Logs that are not there yet are followed, too: the built-in logger's and svlogd's.
	daemon_run follow penstock -C "$D" logs -f -n 1 --raw
	wait_for "$T/follow.out" '^line number 40$'
	service late 'echo "I am late"; exec sleep 1000'
	mkdir -p "$D/.later/log"
	printf '%s\n' '#!/bin/sh' 'echo "I am later"; exec sleep 1000' >"$D/.later/run"
	printf '%s\n' '#!/bin/sh' 'mkdir -p main; exec svlogd -tt main' >"$D/.later/log/run"
	chmod 755 "$D/.later/run" "$D/.later/log/run"
	mv "$D/.later" "$D/service/later"
	wait_for "$T/follow.out" '^I am late$'
	wait_for "$T/follow.out" '^I am later$'
	kill "$(daemon_pid follow)"
	wait_until 5 process_gone "$(daemon_pid follow)"
	unset 'DAEMON_PID[follow]'
	# Rotated files are read in order, older ones than --since not at all.
	run -0 p logs --raw talk
	[ "${lines[-1]}" = "line number 40" ]
	exec {fd}>&-
	run -1 p logs nobody
	[[ $output == *"nobody: no log of such a service"* ]]
	run -2 p logs --since yesterday
	run -2 p logs --level loud
	run -2 p logs ../x
}

@test "logs of svlogd are read where a service has its own logger, its stamps too" {
	tree_small
	rm -r "$D/service/route"
	service own 'echo hello; exec sleep 1000'
	mkdir -p "$D/service/own/log/main"
	printf '%s\n' '#!/bin/sh' 'exec svlogd -tt ./main' >"$D/service/own/log/run"
	chmod 755 "$D/service/own/log/run"
	tree_up
	said() { [[ $(p logs own 2>/dev/null) == 20??-??-??T??:??:??.???Z\ hello ]]; }
	wait_until 5 said
}

@test "up -d: what does not stay up is told with what it said last" {
	tree_small
	service bad 'printf "the reason\033[2J \302\233 é\n"; exit 4'
	echo 3 >"$D/service/bad/notification-fd"
	run -1 tree_up
	[[ $output == *"bad does not stay up"*"the reason?[2J ?? é"* ]]
	[ "$(grep -c 'exited with code 4' "$D/log/bad/current")" -ge 2 ]
}

@test "restart --rolling: one at a time, each ready before the next; stops at the first that fails" {
	tree_small
	rm -r "$D/service/route"
	service web "echo \"+\$INSTANCE\" >>'$T/order'; trap 'echo -\$INSTANCE >>$T/order; exit 0' TERM; [ ! -e '$T/broken' ] || [ \$INSTANCE != 2 ] || { echo broken; exit 1; }; echo >&3; while :; do sleep 1000 & wait; done"
	echo 3 >"$D/service/web/notification-fd"
	echo 3 >"$D/service/web/instances"
	tree_up
	: >"$T/order"
	run -0 p restart --rolling web
	[[ $output == *"web@1: ready again (1 of 3)"*"web@3: ready again (3 of 3)" ]]
	[ "$(tr '\n' ' ' <"$T/order")" = "-1 +1 -2 +2 -3 +3 " ]
	three=$(service_pid web@3)
	touch "$T/broken"
	run -1 p restart --rolling web
	[[ $output == *"web@1: ready again"*"web@2: does not stay up: last exit: code 1"*"stopped after 1 of 3: 1 were not touched"* ]]
	[ "$(service_pid web@3)" = "$three" ]
	why() { [[ $(p status) == *"web@2 "*"crash-loop"*"code 1: broken"* ]]; }
	wait_until 10 why
	run -1 p restart --rolling web
	[[ $output == *"web@2: is not ready: nothing is restarted"* ]]
	run -1 p restart --rolling nobody
	[[ $output == *"nobody: has no instances that are up"* ]]
	run -2 p stop --rolling web
	rm "$T/broken"
	run -0 p stop web
	[ "$(p status --json | jq -r '.services[].state' | sort -u)" = down ]
	run -0 p start web
	# One that was ready and ends while the next gets ready; it is up again when that is.
	mkfifo "$T/next" "$T/again"
	service web 'case $INSTANCE in' "1) [ ! -p $T/next ] || if [ -e $T/fell ]; then echo >$T/again; else" \
		"echo >&3; read x <$T/next; touch $T/fell; exit 1; fi;;" "2) [ ! -e $T/fell -a ! -p $T/next ] || { echo >$T/next; read x <$T/again; };;" esac \
		'echo >&3; exec sleep 1000'
	three=$(service_pid web@3)
	run -1 p restart --rolling web
	[[ $output == *"web@2: ready again"*"web@1: does not stay up: it was ready"*"stopped after 2 of 3: 1 were not touched"* ]]
	[ "$(service_pid web@3)" = "$three" ]
	# There are fewer instances while it goes on: those that are gone are passed over.
	rm "$T/next" "$T/again"
	mkfifo "$T/next"
	service web "[ \$INSTANCE != 1 ] || [ ! -p $T/next ] || read x <$T/next" 'echo >&3; exec sleep 1000'
	p restart --rolling web >"$T/rolled" 2>&1 &
	rolled=$!
	started() { [ "$(p status --json | jq -r '.services[] | select(.name=="web@1") | .ready')" = false ]; }
	wait_until 10 started
	echo 2 >"$D/service/web/instances"
	kill -ALRM "$(p status --json | jq .supervise)"
	fewer() { [ ! -e "$D/service/web@3" ]; }
	wait_until 10 fewer
	echo >"$T/next"
	wait "$rolled"
	grep -q '^web@3: is no instance any more' "$T/rolled"
	rm "$T/next"
	service web "[ ! -e '$T/broken' ] || [ \$INSTANCE != 2 ] || exit 1" ": >'$T/past.'\$INSTANCE" 'exec sleep 1000'
	# Without readiness: one that dies within a second ends it, too.
	rm "$D/service/web/notification-fd"
	kill -ALRM "$(p status --json | jq .supervise)"
	quiet() { [ ! -L "$D/service/web@2/notification-fd" ]; }
	wait_until 5 quiet
	run -0 p restart web
	for i in 1 2; do wait_until 5 test -e "$T/past.$i"; done
	touch "$T/broken"
	run -1 p restart --rolling web
	[[ $output == *"web@1: ready again"*"web@2: does not stay up"* ]]
}

@test "stop is bounded: --kill-after, and the wait" {
	tree_small
	rm -r "$D/service/route"
	service deaf 'trap "" TERM; echo >&3; exec sleep 1000'
	echo 3 >"$D/service/deaf/notification-fd"
	tree_up
	run -1 p stop --wait 300ms deaf
	[[ $output == *"deaf: has not ended after"* ]]
	service_is deaf run
	run -0 p stop --kill-after 200ms deaf
	[[ $output == *"deaf: process "*"killed"* ]]
	service_is deaf down
}

@test "a killed supervise: down ends what it left, the logger too" {
	tree_small
	rm -r "$D/service/route"
	service a 'echo hello; exec sleep 1000'
	tree_up
	wait_until 5 log_has a hello
	sup=$(p status --json | jq .supervise)
	logger=$(pgrep -P "$sup" -x logd)
	kill -9 "$sup"
	wait_until 5 process_gone "$sup"
	run -0 p down
	process_gone "$logger"
}

load ../lib/daemon
load ../lib/line
load tree

@test "refused lines are named with number and reason, the good ones are sent all the same" {
	tree_small
	tree_up
	{
		chat a hello
		echo 'no json'
		chat b hello
		echo
		printf '\xff\xfe\n'
		echo '{"id":"x"}'
		chat c hello
		head -c 1100000 /dev/zero | tr '\0' x
		echo
		chat d hello
		printf '%s' "$(chat e hello)"
	} >"$T/in"
	run -1 p send "$T/in"
	for n in 2 4 5 6 8 10; do
		[ "$(grep -c "$T/in:$n: " <<<"$output")" -eq 1 ]
	done
	[[ $output == *"$T/in:10: "*"line feed"* ]]
	[[ $output == *"$T/in:8: byte 1048576: the line is longer than the limit"* ]]
	[[ $output == *"4 lines acknowledged, 6 refused"* ]]
	accepted 4
	tree_down
	[ "$(spooled | ids | tr '\n' ' ')" = "a b c d " ]
	run -1 p send "$T/none"
	[[ $output == *"$T/none: No such file"* ]]
	run -1 p send "$T"
	[[ $output == *"Is a directory"* ]]
}

@test "text that cannot be an event is refused here" {
	tree_small
	run -2 p send --text $'\xff'
	run -2 p send --text hello --room ''
	[[ $output == *"--room: nothing is in it"* ]]
	run -2 p send --text ''
	[[ $output == *"--text: nothing is in it"* ]]
	run -2 p send --text $'one\ntwo'
	[[ $output == *"--text: byte 4 is a control character (U+000A)"* ]]
	run -2 p send --text hello --room $'\e[1m'
	[[ $output == *"--room: byte 1 is a control"* ]]
	run -2 p send --text hello --name $'a\xc2\x85'
	[[ $output == *"--name: byte 2 is a control character (U+0085)"* ]]
	run -2 p send --text hello --tenant 'Not/One'
}

@test "another user's tree is refused at once" {
	[ "$(id -u)" -eq 0 ] || skip "wants root, to be two users"
	tree_small
	mkdir "$T/programs"
	cp "$BIN"/* "$T/programs"
	for dir in "$T" "$(dirname "$T")" "$(dirname "$(dirname "$T")")"; do chmod go+x "$dir"; done
	as_other() { setpriv --reuid 65534 --regid 65534 --clear-groups timeout 20 "$T/programs/penstock" -C "$D" "$@"; }
	run -1 as_other send --text hello
	[[ $output == *"$D/run/in: Permission denied: only the user who started the tree may send" ]]
	chmod 711 "$D/run"
	tree_up
	run -1 as_other send --text hello
	[[ $output == *"$D/run/in: Permission denied: only"* ]]
}

@test "up -d with a service that does not stay up: the reason, the end of its log, and nothing left running" {
	tree_small
	echo 'all -> -> store' >"$D/etc/rules"
	run -1 tree_up
	[[ $output == *"stopped again"*"route does not stay up"*"etc/rules"* ]]
	[[ $output == *$'\n  route does not stay up: '* && $output != *'\x0a'* ]]
	run -1 p status
	[[ ${lines[0]} == *"supervise down" ]]
	# And well again, it comes up, with a log that goes on.
	echo 'all -> store' >"$D/etc/rules"
	tree_up
}

@test "up -d with a service that never gets ready" {
	tree_small
	mkdir "$D/service/slow"
	printf '#!/bin/sh\nexec tail -f /dev/null\n' >"$D/service/slow/run"
	chmod 755 "$D/service/slow/run"
	echo 4 >"$D/service/slow/notification-fd"
	run -1 tree_up --wait 3s
	[[ $output == *"not everything was ready in time"*"slow is not ready: run"* ]]
	[[ $output != *"route is not ready"* ]]
	run -1 p status
}

@test "up -d with a service whose destination no rule names: said at once, and the rest is up" {
	tree_small
	mkdir "$D/service/later"
	printf '#!/bin/sh\ncd ../.. || exit 111\nexec stage -i ipc://run/to-later -o ipc://run/in -F 3 -- cat\n' >"$D/service/later/run"
	chmod 755 "$D/service/later/run"
	echo 3 >"$D/service/later/notification-fd"
	run -0 timeout 20 penstock -C "$D" up -d 3>&- 4>&-
	[[ $output == *": up."*"later is not ready: it waits for destination later, and no rule of etc/rules names that"* ]]
	echo 'all -> store, later' >"$D/etc/rules"
	p reload route
	ready() { [ "$(service_field later .ready)" = true ]; }
	wait_until 10 ready
}

@test "a port in use is named" {
	[ -x "$BIN/gatewayd" ]
	tree_new
	mkdir "$T/unused"
	mv "$D"/service/{store,analyze,respond,deliver} "$T/unused"
	D=$T/first
	penstock new "$D" --port "$PORT" >/dev/null
	rm -r "$D"/service/{store,analyze,respond,deliver}
	tree_up
	D=$T/tree
	run -1 tree_up
	[[ $output == *"gatewayd does not stay up"* && $output == *"$PORT"*[Ii]"n use"* || $output == *"already in use"*"$PORT"* ]]
	D=$T/first
}

@test "a folder that cannot be written is named" {
	mkdir "$T/closed"
	chmod 555 "$T/closed"
	# root may write anywhere, unless it gives that up (another user could perhaps not even read the program)
	[ "$(id -u)" -ne 0 ] || run_as="setpriv --bounding-set -dac_override"
	run -1 ${run_as:-} "$BIN/penstock" new "$T/closed/tree"
	[[ $output == *"$T/closed/tree: Permission denied"* ]]
}

@test "with descriptors 0 to 2 closed a tree comes up all the same, and no message gets into a file" {
	tree_small
	sh -c 'exec penstock -C "$1" up -d 3>&- 4>&- <&- >&- 2>&-' - "$D"
	run -0 p send --text hello
	[ ! -s "$D/spool/lock" ]
	run -1 sh -c 'penstock -C "$1" send <&-' - "$D"
	[[ $output == *"stdin: Bad file descriptor"* ]]
	run -1 sh -c 'penstock -C "$1" tail --once -n 1 >&-' - "$D"
	[[ $output == *"output: Bad file descriptor"* ]]
}

@test "tail and export speak as penstock does" {
	tree_small
	run -2 p tail --once --where 'type =='
	[[ $output == route:\ error:\ * ]]
	run -2 p tail --once --where 'type ==' -L json
	[[ $output == '{"ts":'* ]]
	run -1 p export --tenant none
	[[ $output == store:\ error:\ * ]]
}

@test "tail of a tree that is down says so, and waits" {
	tree_small
	daemon_run tail penstock -C "$D" tail
	wait_for "$T/tail.err" 'no route runs.*penstock up starts it'
	daemon_alive tail
	daemon_signal tail TERM
	daemon_wait tail
}

@test "route takes nothing in: send and status say why" {
	tree_small
	sed -i 's/exec route/exec route --limit 1m/' "$D/service/route/run"
	tree_up
	events 1 8000 > "$T/in"
	run -1 p send --wait 1s "$T/in"
	[[ $output == *"asked again: the spool has reached its limit"*"not acknowledged: route refuses for now: the spool has reached its limit"* ]]
	run -0 p status
	[[ $output == *"route takes nothing in now: the spool has reached its limit" ]]
	p status --json | jq -e '.intake.refuses == "the spool has reached its limit"'
}

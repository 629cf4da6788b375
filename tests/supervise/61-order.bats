load ../lib/daemon
load services

# A service that says when it starts and when it ends; it is ready when the fifo go.NAME gives a line.
told() {
	mkfifo "$T/go.$1"
	service "$1" "trap 'echo -- -$1 >>'$T/order'; exit 0' TERM; echo '+$1' >>'$T/order'; read -r x <'$T/go.$1'; echo >&3; while :; do sleep 1000 & wait; done"
	echo 3 >"$S/$1/notification-fd"
}
plain() { service "$1" "trap 'echo -- -$1 >>'$T/order'; exit 0' TERM; echo '+$1' >>'$T/order'; while :; do sleep 1000 & wait; done"; }
order_is() { [ "$(tr '\n' ' ' <"$T/order")" = "$1 " ]; }

@test "after: each waits for those it names to be ready; they stop the other way round" {
	told db
	# It is ready when it has said so in the file: only then is the order in there that of the starts.
	service web "trap 'echo -- -web >>'$T/order'; exit 0' TERM; echo +web >>'$T/order'; echo >&3; while :; do sleep 1000 & wait; done"
	echo 3 >"$S/web/notification-fd"
	echo 'db # the data' >"$S/web/after"
	plain edge && printf 'web\n\tdb' >"$S/edge/after"
	sup_start_not_ready
	wait_until 5 order_is "+db"
	waits() { [ "$(sup_field "$1" .waits_for)" = "$2" ]; }
	wait_until 5 waits web db
	wait_until 5 waits edge web
	run -1 supervise -s "$S"
	[[ $output == *"web "*"waits for db"* ]]
	held_in_record() { [[ $(sv status web) == "down: web: "*"normally up, want up" ]]; }
	wait_until 5 held_in_record
	echo >"$T/go.db"
	wait_until 5 order_is "+db +web +edge"
	wait_for "$T/sup.err" "3 services are up"
	[ "$(sup_field edge '.waits_for // "none"')" = none ]
	# A death is no beginning: nobody waits for anybody.
	kill -9 "$(sup_pid web)" "$(sup_pid db)"
	wait_until 5 restarted web 1
	wait_until 5 sup_is web run
	wait_until 5 restarted db 1
	[ "$(sup_field db .ready)" = false ]
	echo >"$T/go.db"
	wait_until 5 lines_are "$T/order" 5
	: >"$T/order"
	sup_stop
	run -0 cat "$T/order"
	[ "$output" = $'-- -edge\n-- -web\n-- -db' ]
}

@test "after: what is down on purpose or not there is not waited for; what is down holds nobody's stop" {
	service a 'exec sleep 1000' && touch "$S/a/down"
	service b 'exec sleep 1000' && echo 'a nobody' >"$S/b/after"
	sup_start
	sup_is b run
	[ "$(sup_field a .state)" = down ]
	grep -q 'b/after: nobody: no such service is supervised here' "$T/sup.err"
	sup_stop
}

@test "after: a circle is found and named, and holds nobody up; a bad file is told" {
	for n in a b c d; do service $n 'exec sleep 1000'; done
	echo b >"$S/a/after" && echo c >"$S/b/after" && echo a >"$S/c/after"
	echo d >"$S/d/after"
	service e 'exec sleep 1000' && echo ../x >"$S/e/after"
	service f 'exec sleep 1000' && echo a >"$S/f/after"
	sup_start
	grep -qE 'circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c):' "$T/sup.err"
	grep -q 'circle: d -> d:' "$T/sup.err"
	grep -q 'e/after: not a name of a service' "$T/sup.err"
	for n in a b c d e f; do sup_is $n run; done
	sup_stop
}

@test "after: whoever waits can be told otherwise" {
	told a
	plain b && echo a >"$S/b/after"
	sup_start_not_ready
	wait_until 5 order_is "+a"
	wait_until 5 sup_is b starting
	run -0 sv -v down b
	echo >"$T/go.a"
	wait_for "$T/sup.err" 'services are up'
	sup_is b down
	run -0 sv start b
	sup_is b run
	sup_stop
}

@test "after: a chain of 60 starts and stops in order" {
	for n in $(seq 60); do
		mkdir "$S/s$n"
		ln -s "$T/run" "$S/s$n/run"
		echo "s$((n - 1))" >"$S/s$n/after"
	done
	rm "$S/s1/after"
	script "$T/run" "echo \"+\${PWD##*/}\" >>'$T/order'; exec sleep 1000"
	sup_start
	wait_until 5 lines_are "$T/order" 60
	supervise -s --json "$S" | jq -r '"\(.name[1:]) \(.since)"' | sort -n | awk 'NR > 1 && $2 < p { exit 1 } { p = $2 }'
	sup_stop
}

load ../lib/daemon
load services

rescan() { kill -ALRM "$(daemon_pid sup)"; }
count_is() { [ "$(supervise -s --json "$S" | jq -r 'select(.state=="run") | .name' | grep -c "^$1@")" -eq "$2" ]; }

@test "instances: each has its name and number, its own supervise/ and sv; the template is no service" {
	service web 'echo "$SERVICE $INSTANCE ${PWD##*/}" >>"'"$T"'/out"; exec sleep 1000'
	script "$S/web/finish" 'echo "finish $SERVICE" >>"'"$T"'/finished"'
	echo 3 >"$S/web/instances"
	sup_start
	[ "$(supervise -s --json "$S" | jq -r .name | tr '\n' ' ')" = "web@1 web@2 web@3 " ]
	wait_until 5 lines_are "$T/out" 3
	[ "$(sort "$T/out" | tr '\n' ';')" = "web@1 1 web@1;web@2 2 web@2;web@3 3 web@3;" ]
	[ ! -e "$S/web/supervise" ]
	run -0 sv status web@2
	[[ $output == "run: web@2: (pid $(sup_pid web@2)) "* ]]
	one=$(sup_pid web@1)
	run -0 sv restart web@2
	wait_until 5 restarted web@2 1
	[ "$(sup_pid web@1)" = "$one" ]
	[ "$(cat "$T/finished")" = "finish web@2" ]
	sup_stop
	[ -d "$S/web@3/supervise" ]
	sup_start	# and again, with what is there
	count_is web 3
	sup_stop
}

@test "instances: the number is followed at a rescan, up and down; what a service wrote stays" {
	service web 'echo "$INSTANCE" >>data; exec sleep 1000'
	echo 1 >"$S/web/instances"
	sup_start
	one=$(sup_pid web@1)
	echo 4 >"$S/web/instances"
	rescan
	wait_until 5 count_is web 4
	[ "$(sup_pid web@1)" = "$one" ]
	four=$(sup_pid web@4)
	wait_for "$S/web@3/data" 3
	wait_for "$S/web@4/data" 4
	rm "$S/web@3/data"
	mkdir "$S/web@4/own"
	ln -s ../data "$S/web@4/own/link"
	ln -s nowhere "$S/web@4/own/dangling"
	echo 2 >"$S/web/instances"
	rescan
	wait_until 5 process_gone "$four"
	gone() { [ ! -e "$S/web@3" ] && [ "$(ls -A "$S/web@4")" = $'data\nown\ntemplate' ]; }
	wait_until 5 gone
	[ "$(ls "$S/web@4/own")" = $'dangling\nlink' ]
	# What stays is no service of its own, and the instance has it again.
	service other 'exec sleep 1000'
	rescan
	wait_until 5 sup_is other run
	gone
	[ "$(supervise -s --json "$S" | jq -r .name | tr '\n' ' ')" = "other web@1 web@2 " ]
	echo 4 >"$S/web/instances"
	rescan
	wait_until 5 lines_are "$S/web@4/data" 2
	wait_until 5 lines_are "$S/web@3/data" 1
	wait_until 5 count_is web 4	# else 2 may be how many of them are on the board by now
	echo 2 >"$S/web/instances"
	rescan
	wait_until 5 count_is web 2
	echo nonsense >"$S/web/instances"
	rescan
	wait_for "$T/sup.err" 'web: .*write one number from 0 to 1000; its instances stay'
	count_is web 2
	echo 0 >"$S/web/instances"
	rescan
	wait_until 5 count_is web 0
	forgotten() { [ -z "$(sup_pid web@1)" ]; }
	wait_until 5 forgotten
	rm "$S/web/instances"
	rescan
	wait_until 5 sup_is web run	# now it is a service itself
	sup_stop
}

@test "instances: entries follow the template's; loggers have folders of their own; a stranger's directory is left alone" {
	service web 'echo "line of $SERVICE"; exec sleep 1000'
	script "$S/web/log/run" 'exec svlogd ./main'
	mkdir "$S/web/log/main" && echo s4000 >"$S/web/log/main/config"
	mkdir "$S/web@2" && echo mine >"$S/web@2/file"
	echo 2 >"$S/web/instances"
	sup_start_not_ready
	wait_for "$S/web@1/log/main/current" 'line of web@1'
	[ "$(cat "$S/web@1/log/main/config")" = s4000 ]
	[ "$(cat "$S/web@2/file")" = mine ]
	[ ! -e "$S/web@2/run" ]
	wait_for "$T/sup.err" 'web: instance 2 cannot be made: Directory not empty'
	echo 3 >"$S/web/notification-fd"
	touch "$S/web/down"
	rescan
	wait_until 5 test -L "$S/web@1/down"
	wait_until 5 test -L "$S/web@1/notification-fd"
	[ "$(cat "$S/web@1/notification-fd")" = 3 ]
	rm "$S/web/down"
	rescan
	linkless() { [ ! -L "$S/web@1/down" ]; }
	wait_until 5 linkless
	mv "$S/web@2" "$T/mine"	# supervise may be writing in it
	sup_stop
}

@test "instances: after names the template and means all of them" {
	mkfifo "$T/go"
	service web 'read -r x <"'"$T"'/go"; echo >&3; exec sleep 1000'
	echo 3 >"$S/web/notification-fd"
	echo 2 >"$S/web/instances"
	service edge 'exec sleep 1000' && echo web >"$S/edge/after"
	exec {fd}<>"$T/go"
	sup_start_not_ready
	wait_until 5 sup_is web@2 run
	held_up() { [ "$(sup_field edge .waits_for)" = web ]; }
	wait_until 5 held_up
	echo >&"$fd"
	one_ready() { [ "$(supervise -s --json "$S" | jq -r 'select(.ready == true) | .name' | wc -l)" -eq 1 ]; }
	wait_until 5 one_ready
	[ "$(sup_field edge .state)" = starting ]
	echo >&"$fd"
	wait_until 5 sup_is edge run
	exec {fd}>&-
	sup_stop
}

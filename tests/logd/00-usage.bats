load ../lib/daemon
load logs

@test "--help and -V; bad usage exits 100, a directory that cannot be 111" {
	run -0 logd --help
	[[ $output == *"--control FD"* && $output == *"logd(8)"* ]]
	run -0 logd -V
	[[ $output == "logd (penstock) "* ]]
	run -100 logd
	[[ $output == *"name the log directory"* ]]
	run -100 logd a b
	run -100 logd -t never "$D"
	run -100 logd --control 77 "$D"
	[[ $output == *"not open"* ]]
	touch "$T/file"
	run -111 logd "$T/file" </dev/null
	[[ $output == *"$T/file: the directory cannot be opened"* ]]
}

@test "a second logd, and svlogd, are refused while one writes" {
	mkfifo "$T/in"
	logd -L text "$D" <"$T/in" 2>"$T/err" 3>&- &
	pid=$!
	exec {fd}>"$T/in"
	echo one >&"$fd"
	wait_for "$D/current" one
	run -111 logd -L text "$D" </dev/null
	[[ $output == *busy* ]]
	run -111 svlogd "$D" </dev/null
	[[ $output == *lock* ]]
	exec {fd}>&-
	wait "$pid"
	svlogd "$D" <<<two
	[ "$(cut -d' ' -f2 "$D/current" | tr '\n' ' ')" = "one two " ] || [ "$(tail -n 1 "$D/current")" = two ]
}

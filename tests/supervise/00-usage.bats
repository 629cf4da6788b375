load ../lib/daemon
load services

@test "--help and -V say what they should" {
	run -0 supervise --help
	[[ $output == *"supervise -s [--json] DIR"* && $output == *--kill-after* && $output == *"supervise(8)"* ]]
	run -0 supervise -V
	[[ $output == "supervise (penstock) "* ]]
}

@test "bad usage exits 100 and names the fault" {
	run -100 supervise
	[[ $output == *"name the directory"* ]]
	run -100 supervise a b
	[[ $output == *"one directory only"* ]]
	run -100 supervise -k soon "$S"
	[[ $output == *"-k soon"* ]]
	run -100 supervise --json "$S"
	[[ $output == *"goes with -s"* ]]
	run -100 supervise --no-such
}

@test "a directory that is not there is a system fault: 111" {
	run -111 supervise "$T/none"
	[[ $output == *"$T/none: No such file"* ]]
	touch "$T/file"
	run -111 supervise "$T/file"
	[[ $output == *"Not a directory"* ]]
}

@test "-s without a supervisor is 111 and says so" {
	run -111 supervise -s "$S"
	[[ $output == *"nobody supervises it"* ]]
	run -111 supervise -s "$T/none"
}

@test "a second supervise on the same directory is refused with the first one's pid" {
	sup_start
	run -111 supervise "$S"
	[[ $output == *"process $(daemon_pid sup) supervises it already"* ]]
	sup_stop
	sup_start	# and the lock went with the first
	sup_stop
}

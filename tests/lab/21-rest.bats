bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "wrong headers and bodies, and the error codes of refused messages" {
	lab_start
	cases rest headers refused
}

@test "buckets, the global limit, and the ban for too many wrong requests" {
	lab_start
	cases rest limits banned
}

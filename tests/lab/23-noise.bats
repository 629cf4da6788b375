bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "requests, frames and questions without sense: the lab answers, goes on, and reports no fault of its own" {
	lab_start
	cases noise http frames control
}

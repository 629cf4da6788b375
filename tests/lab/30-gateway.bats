bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "Identify: buckets of max_concurrency, the daily limit and what crossing it costs" {
	lab_start
	cases gateway concurrency budget
}

@test "120 payloads in a minute; heartbeats that stay away" {
	lab_start
	cases gateway send_limit heartbeats
}

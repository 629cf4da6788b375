bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "faults of Discord's connections: ends, ops, silence, frames, payloads, URLs" {
	lab_start
	cases faults ends ops leave silence wire payloads urls
}

@test "faults of Twitch's connections, of requests, of the lab's door" {
	lab_start
	cases faults twitch requests door
	cases silence hangs quiet whose
}

@test "the language of faults; the same number gives the same faults" {
	lab_start
	cases faults language seeds
}

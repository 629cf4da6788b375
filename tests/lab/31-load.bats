bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "a thousand shards in one lab; floods in order, and replayed; a rate; TLS" {
	lab_start -t
	cases load idle flood rate tls
}

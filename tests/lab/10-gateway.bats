bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "a connection's life, plain, with zlib-stream and with zstd-stream, leaves no violation" {
	lab_start -o discord.identify_interval_s=0
	cases gateway life zstd resume
}

@test "while the lab itself stands still nobody is late" {
	lab_start
	LAB_PID=$(daemon_pid lab) cases gateway stopped
}

@test "a session that waits too long, and one that no longer keeps what is asked for" {
	lab_start
	cases gateway expiry replay_end owed
}

@test "what a bot may not read is empty; guilds and direct messages belong to shards" {
	lab_start
	cases gateway veiled members shards direct_shard
}

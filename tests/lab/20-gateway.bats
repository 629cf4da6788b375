bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

@test "each wrong deed gets its close code and is written down under its rule" {
	lab_start -o discord.identify_interval_s=0
	cases gateway wrong query wrong_token twice
}

@test "a wrong sequence in Resume: 4007; an unknown session: op 9" {
	lab_start
	cases gateway bad_resume
}

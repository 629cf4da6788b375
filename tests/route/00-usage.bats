# Options, their mistakes, and what is said when the hub cannot start.
load hub

@test "help names every option; the version is a line" {
	run -0 route --help
	for o in --spool --rules --run-dir --in --out --sync --keep --segment --window-lines --attempts --deadline --dest --test --tail --where --last --from; do
		[[ "$output" == *"$o"* ]] || { echo "no $o"; return 1; }
	done
	run -0 route -V
	[[ "$output" == route* ]]
}

@test "what is missing is named" {
	run -2 route
	[[ "$output" == *"-d"* ]]
	run -2 route -d spool
	[[ "$output" == *"-r"* ]]
	run -2 route -d spool -r rules
	[[ "$output" == *"-R"* ]]
	run -2 route -t
	[[ "$output" == *"-r"* ]]
	run -2 route -T
	[[ "$output" == *"-d"* ]]
	run -2 route -d spool -r rules -R run surplus
	[[ "$output" == *surplus* ]]
	run -2 route -d spool -r rules -R run -s sometimes
	[[ "$output" == *sometimes* ]]
	run -2 route -d spool -r rules -R run -o ipc://x
	[[ "$output" == *NAME=URL* ]]
	run -2 route -d spool -r rules -R run --limit 1m --keep-size 1m
	[[ "$output" == *--keep-size* ]]
	run -2 route -r rules -D store -d spool
	[[ "$output" == *"-D"* ]]
}

@test "rules that are missing or wrong: file, line and column, exit 1, no spool touched" {
	run -1 route -d spool -r rules -R run
	[[ "$output" == *"rules: No such file"* ]]
	printf 'all -> store\ntype = "x" -> a\n' > rules
	run -1 route -d spool -r rules -R run
	[[ "$output" == *"rules:2:6: = is no operator; == compares"* ]]
	[ ! -e spool ]
	[ ! -e run/in ]
}

@test "a spool that another route uses is refused, with its process" {
	hub
	run -1 route -d spool -r rules -R run2
	[[ "$output" == *"another route (pid $(daemon_pid hub))"* ]]
}

@test "a socket that is taken is refused" {
	hub
	run -1 route -L text -d spool2 -r rules -R run
	[[ "$output" == *run/* ]]
}

@test "a spool that cannot be written is named" {
	: > spool
	echo 'all -> store' > rules
	run -1 route -d spool -r rules -R run
	[[ "$output" == *spool* ]]
}

@test "an expression that is wrong is refused by -T with its place" {
	mkdir spool
	run -2 route -T -d spool --once -w 'type == '
	[[ "$output" == *"-w: 1:9:"* ]]
	run -1 route -T -d nowhere --once
	[[ "$output" == *"no spool"* ]]
}

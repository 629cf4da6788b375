load ../lib/daemon

setup() { mkdir "$T/r"; }

@test "--help and -V" {
	run respond --help
	[ "$status" -eq 0 ]
	[[ "$output" == "Usage: respond "*"--replies DIR"*"--notify-fd"* ]]
	run respond -V
	[ "$status" -eq 0 ]
	[[ "$output" == "respond (penstock) "* ]]
}

@test "a wrong option ends with code 2 and names it" {
	run respond --repiles x
	[ "$status" -eq 2 ]
	[[ "$output" == *"no option --repiles"* ]]
	run respond -r "$T/r" operand
	[ "$status" -eq 2 ]
	[[ "$output" == *"operand"* ]]
	run respond -n 0
	[ "$status" -eq 2 ]
	[[ "$output" == *"-n 0: too small; want 1 to 4096"* ]]
}

@test "every option of --help is on the page" {
	respond --help | grep -oE -- '--[a-z-]+' | grep -v -- --help$ | sort -u >"$T/options"
	mandoc -Tascii "$ROOT/man/respond.8" | col -b >"$T/page"
	while read -r o; do grep -q -- "$o" "$T/page" || { echo "$o is not on the page"; false; }; done <"$T/options"
}

@test "every metric is on the page" {
	grep -oE '"respond_[a-z_]+"' "$ROOT/src/respond/metrics.def" | tr -d '"' >"$T/metrics"
	[ -s "$T/metrics" ]
	while read -r m; do grep -q "$m" "$ROOT/man/respond.8" || { echo "$m is not on the page"; false; }; done <"$T/metrics"
}

@test "no directory of replies" {
	run respond -r "$T/none" </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"replies directory $T/none: No such file"* ]]
}

@test "an empty directory is worth a warning" {
	run respond -L text -r "$T/r" </dev/null
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: no replies file, TENANT.conf or default.conf, in $T/r"* ]]
}

@test "-t says what is good" {
	cp "$ROOT/share/replies.conf" "$T/r/default.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 0 ]
	[ "$output" = "respond: 1 replies files in $T/r are good" ]
}

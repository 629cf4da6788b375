bats_require_minimum_version 1.5.0
load ../lib/daemon
load gateway

@test "help and version" {
	run -0 gatewayd --help
	[[ ${lines[0]} == "Usage: gatewayd"* ]]
	run -0 gatewayd -V
	[[ $output == *"$(cat "$ROOT/VERSION")"* ]]
}

@test "bad options and values end with code 2 and name what is wrong" {
	run -2 gatewayd --nothing
	[[ $output == *nothing* ]]
	run -2 gatewayd -p 65536
	[[ $output == *"-p 65536: too large"* ]]
	run -2 gatewayd --max-body 1x
	[[ $output == *max-body*1x* ]]
	run -2 gatewayd -t Upper
	[[ $output == *tenant*Upper* ]]
	run -2 gatewayd --webhook-rate often
	[[ $output == *webhook-rate*often* ]]
	run -2 gatewayd --max-batch 100 --backlog 10
	[[ $output == *max-batch*backlog* ]]
	run -2 gatewayd operand
	[[ $output == *operand* ]]
}

@test "a configuration file with an error is refused with file and line" {
	printf '# fine\nport = 0\nmax-body = lots\n' >"$T/conf"
	run -2 gatewayd -c "$T/conf"
	[[ $output == *"$T/conf"*3*max-body*lots* ]]
	printf 'prot = 0\n' >"$T/conf"
	run -2 gatewayd -c "$T/conf"
	[[ $output == *"$T/conf"*1*prot* ]]
	run -2 gatewayd -c "$T/nowhere"
	[[ $output == *"$T/nowhere"* ]]
}

@test "the command line wins over the file" {
	printf 'port = 1\nhistory = 7\n' >"$T/conf"
	gw_alone -c "$T/conf"
	[ "$PORT" -ne 1 ]
}

@test "a port in use: a clear message and code 1" {
	gw_alone
	run -1 gatewayd -p "$PORT"
	[[ $output == *127.0.0.1*"$PORT"*"in use"*-p* ]]
}

@test "an address that is none of this machine: a clear message and code 1" {
	run -1 gatewayd -p 0 -l 192.0.2.1
	[[ $output == *192.0.2.1* ]]
	run -1 gatewayd -p 0 -l no.such.host.invalid
	[[ $output == *no.such.host.invalid* ]]
}

@test "an output that no transport knows: a clear message and code 1" {
	run -1 gatewayd -p 0 -o smoke://signals
	[[ $output == *smoke* ]]
}

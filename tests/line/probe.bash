# The pure parts of the line library from a shell: $probe (its head says what it does).
load ../lib/line

setup() {
	local above=${BIN:-$BATS_TEST_DIRNAME/../../bin}/..
	probe=$above/unit/probe			# BIN=build-asan/bin
	[ -x "$probe" ] || probe=$above/build/unit/probe
	[ -x "$probe" ] || { echo "no probe: make unit first" >&2; return 1; }
}

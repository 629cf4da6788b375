#!/usr/bin/env bats
load probe

@test "a line over the cap is refused once, the next one is read" {
	run "$probe" line 300 < <(chat 1 "$(printf 'x%.0s' {1..100000})"; chat 2 short)
	[ "${lines[0]}" = "refused 300 the line is longer than the limit" ]
	[ "${lines[1]}" = ok ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "1 MiB is accepted, 1 MiB and a byte is not, and neither is a gigabyte without a line feed" {
	local head='{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"' fill
	fill=$((1048576 - ${#head} - 2))
	run "$probe" line < <(printf '%s%*s"}\n%s%*s"}\n' "$head" "$fill" x "$head" "$((fill + 1))" x; chat 3 hi)
	[ "${lines[0]}" = ok ]
	[ "${lines[1]}" = "refused 1048576 the line is longer than the limit" ]
	[ "${lines[2]}" = ok ]
	run "$probe" line < <(head -c 1G /dev/zero; echo; chat 2 hi)
	[ "${lines[0]}" = "refused 1048576 the line is longer than the limit" ]
	[ "${lines[1]}" = ok ]
}

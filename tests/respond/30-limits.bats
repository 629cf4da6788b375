load ../lib/daemon
load ../lib/line

setup() { mkdir "$T/r"; }

@test "a long answer is cut at 2000 bytes, at a character" {
	printf 'command e REST...\n say x{REST}\n' >"$T/r/default.conf"
	long=$(printf 'é%.0s' $(seq 1 1500))
	chat 1 "!e $long" | respond -r "$T/r" | tail -n 1 | jq -r .data.text >"$T/text"
	[ "$(head -c -1 "$T/text" | wc -c)" -le 2000 ]
	[ "$(head -c -1 "$T/text" | wc -c)" -ge 1995 ]
	iconv -f UTF-8 -t UTF-8 "$T/text" | grep -q '…$'
}

@test "a thousand triggers, and not one more" {
	for i in $(seq 1 1000); do printf 'word w%d\n say %d\n' "$i" "$i"; done >"$T/r/default.conf"
	chat 1 'w1000' | respond -r "$T/r" | tail -n 1 | jq -e '.data.text == "1000"'
	printf 'word more\n say x\n' >>"$T/r/default.conf"
	run respond -L text -t -r "$T/r"
	[ "$status" -eq 1 ]
	[[ "$output" == *"default.conf:2001:1: more than 1000 triggers"* ]]
}

@test "a message of a megabyte is looked through" {
	printf 'word needle\n say found\n' >"$T/r/default.conf"
	{ printf '{"specversion":"1.0","id":"1","source":"/t","type":"chat.message","data":{"channel":{"id":"c"},"user":{"id":"u"},"text":"'
	  head -c 1000000 /dev/zero | tr '\0' 'n'
	  printf ' needle"}}\n'; } | respond -r "$T/r" | tail -n 1 | jq -e '.data.text == "found"'
}

@test "twenty thousand messages, each answered once" {
	cp "$ROOT/share/replies.conf" "$T/r/default.conf"
	events 1 20000 50 3 | sed 's/"text":"message/"text":"hello/' | respond -r "$T/r" >"$T/out"
	[ "$(wc -l <"$T/out")" -eq 40000 ]
	[ "$(ids "$T/out" | sort -u | wc -l)" -eq 40000 ]
}

# deliver against the lab (tests/peers/lab), which enforces the platforms' rules: nothing it counts as a violation may be left at the end.
load ../lib/daemon
load ../lib/line

GENERAL=1100000000000000011 BOTS=1100000000000000012

setup() { cd "$T"; }
teardown() {
	local bad=0
	if [ -n "${DAEMON_PID[lab]:-}" ]; then
		curl -s "$LAB/lab/violations" | jq -e '.violations == []' >/dev/null || { curl -s "$LAB/lab/violations" >&2; bad=1; }
		curl -s -X POST "$LAB/lab/quit" >/dev/null || true
		daemon_wait lab
	fi
	daemons_end && [ "$bad" -eq 0 ]
}

# lab_up [OPTION...]: $LAB is its address, $A the accounts
lab_up() {
	daemon_start lab "$ROOT/tests/peers/lab/lab.py" -d "$T/lab" "$@"
	LAB=http://127.0.0.1:$(<"$T/lab/port") A=$T/lab/accounts
}
lab() { curl -s --max-time 30 "$LAB/lab/$1" ${2:+-d "$2"}; }
fault() { lab fault "$1" >/dev/null; }

# say ID PLATFORM CHANNEL TEXT [MEMBERS]
say() {
	event "$1" message.send "{\"platform\":\"$2\",\"channel\":{\"id\":\"$3\"},\"text\":$(json_string "$4")${5:+,$5}}" "\"partitionkey\":\"$2:$3\""
}
# Says what is in stdin; outcomes only, as "ID TYPE WHAT". All lines are left in the file passed.
through() {
	deliver -A "$A" -b box.db -L text "$@" 2>err | tee -a passed | jq -r 'select(.type == "message.sent" or .type == "message.failed") |
		[(.id | sub(".deliver$"; "")), (.type | sub("message."; "")), .data.cause // "", .data.code // ""] | join(" ") | sub(" +$"; "")'
}
# What bots said, a line each: the given jq filter.
said() { lab said | jq -r ".entries[] | select(.kind == \"said\") | $1"; }

# The address that is connected to counts, not the name: a resolver whose answers lead into the network that deliver stands in.
load deliver
command -v "${CC:-cc}" >/dev/null || no_shim="needs a C compiler"
case $BIN in *san*) no_shim="a preloaded library and a sanitizer do not go together" ;; esac
PUBLIC=93.184.216.34	# which nobody connects to: names.c sees to that

hook_up() {
	daemon_run hook python3 "$BATS_TEST_DIRNAME/hook.py" "$T/got"
	wait_for hook.out '^[0-9]+$'
	mkdir -p a/default
	: >got
}
teardown() {
	[ -z "${DAEMON_PID[hook]:-}" ] || daemon_kill hook
	daemons_end
}
# host NAME ANSWER...: an account of that name for NAME.test, whose questions get these answers.
host() {
	printf '%s\n' 'platform = webhook' "url = http://$1.test:$(<hook.out)/ok" >"a/default/$1.conf"
	echo "$1.test ${*:2}" >>names
}
shim() {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	"${CC:-cc}" -D_GNU_SOURCE -O1 -shared -fPIC -o names.so "$BATS_TEST_DIRNAME/names.c" -ldl
}
hook_say() { say "$1" webhook x hi "\"account\":\"$1\""; }

@test "a name that leads to a private address, by whatever answer, is not connected to" {
	shim
	hook_up
	local n=0 answer
	for answer in 127.0.0.1 0.0.0.0 10.1.2.3 100.64.0.1 169.254.169.254 192.168.0.1 :: ::1 ::ffff:127.0.0.1 ::127.0.0.1 fe80::1 fd00::1 \
		64:ff9b::127.0.0.1 2002:7f00:1:: "$PUBLIC,127.0.0.1"; do
		host "h$((++n))" "$answer"
	done
	host open 127.0.0.1
	echo 'allow-private = yes' >>a/default/open.conf
	for i in $(seq -f h%g "$n") open; do hook_say "$i"; done >in
	NAMES=$T/names LD_PRELOAD=$T/names.so${LD_PRELOAD:+:$LD_PRELOAD} deliver -A a -b box.db -L text <in 2>err >out
	jq -r 'select(.type == "message.failed").data.cause' out | sort | uniq -c | xargs | grep -x "$n private"
	jq -se 'map(select(.type == "message.sent").id) == ["open.deliver"]' out
	[ "$(wc -l <got)" -eq 1 ]
	# The public one of two answers was tried, nothing else was
	[ "$(grep '^connect' names.log)" = "connect $PUBLIC" ]
}

@test "a name that was public when it was asked for first, and is private then" {
	shim
	hook_up
	host turn "$PUBLIC" 127.0.0.1
	# The same host; its own certificates make its own connections, which ask for the name again
	sed "\$a ca = $T/ca.pem" a/default/turn.conf >a/default/again.conf
	sed '$a allow-private = yes' a/default/again.conf >a/default/allowed.conf
	: >ca.pem
	mkfifo pipe
	NAMES=$T/names LD_PRELOAD=$T/names.so${LD_PRELOAD:+:$LD_PRELOAD} deliver -A a -b box.db -L text -g 2s <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	hook_say turn >&$IN
	wait_for names.log "^connect $PUBLIC$"
	hook_say again >&$IN
	wait_for out '"again.deliver".*"cause":"private"'
	[ ! -s got ]
	grep -q '^asked turn.test 2$' names.log
	# Nobody else stands between them and the receiver
	hook_say allowed >&$IN
	wait_for out '"allowed.deliver".*message.sent'
	exec {IN}>&-
	daemon_wait d
	[ "$status" -eq 0 ]
	grep -q '"turn.deliver".*"cause":"late"' out
	[ "$(wc -l <got)" -eq 1 ]
}

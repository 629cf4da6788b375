# The skeleton of a stage: between pipes, between hubs, and mixed.
load probes

@test "between pipes: what it makes, in order, and 0 at the end" {
	events 1 3000 > in
	"$P" work - - < in > out
	tr a-z A-Z < in | cmp - out
}

@test "between files" {
	events 1 3000 > in
	"$P" work - - filter-none < in > out
	cmp in out
}

@test "a filter passes every line on, before what it makes from it" {
	run -0 "$P" work - - filter-two <<<$'a\nb'
	[ "$output" = $'a\nA\nA\nb\nB\nB' ]
}

@test "one line goes through at once: a pipe does not wait for a batch to fill" {
	mkfifo to from
	"$P" work - - < to > from 3>&- & worker=$!
	exec 6> to 7< from
	echo one >&6
	read -r -t 20 got <&7
	[ "$got" = ONE ]
	echo two >&6
	read -r -t 20 got <&7
	[ "$got" = TWO ]
	exec 6>&-
	wait "$worker"
}

@test "a refused line of a pipe is named with its number, is not passed on, and the exit code tells" {
	run -1 --separate-stderr "$P" work - - filter-refuse <<<$'a\nbad one\nc'
	[ "$output" = $'a\nA\nc\nC' ]
	[[ "$stderr" == *"standard input, line 2 refused: it is bad: bad one"* ]]
}

@test "a line of a pipe that can't be done now is tried again, in order" {
	run -0 --separate-stderr "$P" work - - retry <<<$'a\nlater\nc'
	[ "$output" = $'A\nLATER\nC' ]
	[[ "$stderr" == *"not now: trying again"* ]]
	run -0 --separate-stderr "$P" work - - commit <<<$'a\nb'
	[ "$output" = $'A\nB' ]
}

@test "half a line at the end, and a line too long, are named and the rest goes on" {
	run -1 --separate-stderr "$P" work - - < <(printf 'a\nb\nhalf')
	[ "$output" = $'A\nB' ]
	[[ "$stderr" == *"standard input, line 3: not ended by a line feed"* ]]
	{ echo a; head -c 1048577 /dev/zero | tr '\0' x; echo; echo b; head -c 1048576 /dev/zero | tr '\0' y; echo; echo c; } > in
	run -1 --separate-stderr bash -o pipefail -c "'$P' work - - < in | cut -c 1-2"
	[ "$output" = $'A\nB\nYY\nC' ]
	[[ "$stderr" == *"standard input, line 2: longer than 1048576 bytes"* ]]
}

@test "a reader that goes away ends the stage with 1 and one message" {
	"$P" work - - < <(yes) 2> err | head -n 1 > out
	[ "$(cat out)" = Y ]
	wait_for err 'standard output: closed by its reader'
	[ "$(wc -l < err)" -eq 1 ]
}

@test "a full disk under standard output ends it with 1 and names it" {
	run -1 --separate-stderr sh -c "yes | head -n 1000 | '$P' work - - > /dev/full"
	[[ "$stderr" == *"standard output: No space left on device"* ]]
}

@test "from hub to hub: acknowledged last" {
	seq 1 1000 | sed 's/.*/line &/' > all
	daemon_start from "$P" deal ipc://to-x all 100
	serve to ipc://in lines
	daemon_start w "$P" work ipc://to-x ipc://in
	wait_for from.out '^all done$'
	daemon_stop w
	tr a-z A-Z < all | cmp - <(grep ^LINE to.out)
	[ "$(grep -c 'by probe, 0 refused' from.out)" -eq 10 ]
}

@test "with two connections on the taking side each batch stays together, in order" {
	seq 1 3000 | sed 's/.*/line &/' > all
	daemon_start from "$P" deal ipc://to-x all 10
	serve to ipc://in lines
	PROBE_CONNS=2 daemon_start w "$P" work ipc://to-x ipc://in
	wait_for from.out '^all done$'
	daemon_stop w
	# Which of two batches comes first is open: they travel apart. Ten lines of one follow each other.
	grep ^LINE to.out | paste -d, - - - - - - - - - - | sort -n -k2 | tr , '\n' > got
	tr a-z A-Z < all | cmp - got
}

@test "nothing is reported done before the next hop has it" {
	seq 1 10 > all
	daemon_start from "$P" deal ipc://to-x all 10
	serve to ipc://in hold
	daemon_start w "$P" work ipc://to-x ipc://in
	wait_for to.out '^request .* 10 lines'
	not grep '^done' from.out
	daemon_kill to
	daemon_kill w
	wait_for from.out '^lost b1$'
}

@test "what the next hop refuses for good makes its cause refused, with the reason" {
	printf 'a\nb\nc\n' > all
	daemon_start from "$P" deal ipc://to-x all
	serve to ipc://in refuse:3 ack
	daemon_start w "$P" work ipc://to-x ipc://in two
	# two lines for each: the third is made from b
	wait_for from.out 'done b1 by probe, 1 refused \[2 what was made from it was refused: no good\]'
	daemon_stop w
}

@test "what the next hop refuses for now is put again, alone" {
	printf 'a\nb\nc\n' > all
	daemon_start from "$P" deal ipc://to-x all
	serve to ipc://in retry:2 retry:1 refuse:1 lines
	daemon_start w "$P" work ipc://to-x ipc://in
	wait_for from.out 'done b1 by probe, 1 refused \[2 '
	[ "$(grep '^request' to.out)" = $'request 6 bytes 3 lines\nrequest 2 bytes 1 lines\nrequest 2 bytes 1 lines' ]
	grep -q 'refused for now: putting them again' w.err
	daemon_stop w
}

@test "a stage's own refusals reach the hub: for good, and for now" {
	printf 'a\nbad\nc\nlater\n' > all
	daemon_start from "$P" deal ipc://to-x all
	daemon_start w "$P" work ipc://to-x none refuse
	wait_for from.out 'done b1 by probe, 1 refused \[2 it is bad\]'
	daemon_stop w
	daemon_stop from
	daemon_start from "$P" deal ipc://to-x all
	daemon_start w "$P" work ipc://to-x none retry
	wait_for from.out 'done b1 by probe, 1 refused \[4 not now, retry\]'
	daemon_stop w
	daemon_stop from
	daemon_start from "$P" deal ipc://to-x all
	daemon_start w "$P" work ipc://to-x none commit
	wait_for from.out 'done b1 by probe, 4 refused \[1 the batch can.t be committed, retry\] .*\[4 '
	daemon_stop w
}

@test "more lines made than a batch holds are put in several" {
	printf 'a\nb\nc\n' > all
	daemon_start from "$P" deal ipc://to-x all
	serve to ipc://in ack
	daemon_start w "$P" work ipc://to-x ipc://in big
	wait_for from.out '^all done$'
	[ "$(grep '^request' to.out)" = $'request 8192 bytes 4096 lines\nrequest 8192 bytes 4096 lines\nrequest 8192 bytes 4096 lines\nrequest 5424 bytes 2712 lines' ]
	daemon_stop w
}

@test "from a hub to a pipe, a filter passes on; from a pipe to a hub too" {
	printf 'a\nb\n' > all
	daemon_start from "$P" deal ipc://to-x all
	daemon_run w "$P" work ipc://to-x - filter-upper
	wait_for from.out '^all done$'
	daemon_stop w
	[ "$(cat w.out)" = $'a\nA\nb\nB' ]
	serve to ipc://in lines
	run -0 --separate-stderr "$P" work - ipc://in filter-upper < all
	[ "$(grep '^[abAB]$' to.out)" = $'a\nA\nb\nB' ]
}

@test "between hubs nothing is passed on, filter or not" {
	printf 'a\nb\n' > all
	daemon_start from "$P" deal ipc://to-x all
	serve to ipc://in lines
	daemon_start w "$P" work ipc://to-x ipc://in filter-upper
	wait_for from.out '^all done$'
	[ "$(grep '^[abAB]$' to.out)" = $'A\nB' ]
	daemon_stop w
}

@test "TERM drains: what was taken is put and reported, then 0" {
	seq 1 10 > all
	daemon_start from "$P" deal ipc://to-x all 10
	daemon_start s "$P" paused ipc://in lines
	daemon_run w "$P" work ipc://to-x ipc://in tell
	wait_for w.err '^has 10$'
	daemon_signal w TERM
	daemon_signal s USR1
	daemon_wait w
	[ "$status" -eq 0 ]
	[ "$(grep '^[0-9]' s.out)" = "$(cat all)" ]
	wait_for from.out '^all done$'
}

@test "TERM on a pipe: what was read is worked on, then 0" {
	mkfifo to
	"$P" work - - < to > out 3>&- & worker=$!
	exec 6> to
	printf 'one\ntwo\n' >&6
	wait_for out TWO
	kill -TERM "$worker"
	wait "$worker"
	exec 6>&-
	[ "$(cat out)" = $'ONE\nTWO' ]
}

@test "HUP reloads and the stage goes on" {
	seq 1 10 > all
	daemon_start from "$P" deal ipc://to-x all 10
	daemon_start w "$P" work ipc://to-x none
	daemon_signal w HUP
	wait_for w.err reloaded
	daemon_stop w
}

@test "ready is said when both sides are there, not before" {
	mkfifo ready
	"$P" -F 9 work ipc://to-x ipc://in 9> ready > w.out 2> w.err 3>&- & worker=$!
	exec 8< ready
	echo one > all
	daemon_start from "$P" deal ipc://to-x all
	wait_for from.out '^given b1'
	not read -r -t 0.2 _ <&8
	serve to ipc://in ack
	read -r -t 20 _ <&8
	kill -TERM "$worker"
	wait "$worker"
}

@test "ready is said at once between pipes, though nothing comes" {
	mkfifo ready to
	exec 6<> to
	"$P" -F 9 work - - <&6 9> ready > w.out 3>&- & worker=$!
	exec 8< ready
	read -r -t 20 _ <&8
	kill -TERM "$worker"
	wait "$worker"
}

@test "stdin and stdout of others stay as they are: no O_NONBLOCK on a shared pipe" {
	mkfifo to from
	exec 6<> to 7<> from
	flags() { awk '/^flags/ { print $2 }' "/proc/$$/fdinfo/$1"; }
	before="$(flags 6) $(flags 7)"
	"$P" work - - <&6 >&7 3>&- & worker=$!
	echo one >&6
	read -r -t 20 got <&7
	[ "$got" = ONE ]
	[ "$(flags 6) $(flags 7)" = "$before" ]
	kill -TERM "$worker"
	wait "$worker"
}

@test "an endpoint that gives no batches is named once, with its answer and what to check" {
	serve query ipc://query 'text:{"error":"no question"}'
	PROBE_CONNS=2 daemon_run w "$P" work ipc://query none none
	wait_until 20 eval '[ "$(grep -c ^request query.out)" -ge 8 ]'
	[ "$(grep -c 'the answer to a take is no batch' w.err)" -eq 1 ]
	grep -q 'no batch (no batch): {.*no question.*}; is this the endpoint of a destination, to-NAME of route' w.err
	[ "$(grep -c ipc://query w.err)" -eq 1 ]
	daemon_stop w
}

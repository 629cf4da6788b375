# Dead letters: listed, shown, retried, dropped, edited, with a hub and without one, and killed in between.
load hub
load disk

teardown() {
	local bad=0
	daemons_end || bad=1
	if mountpoint -q "$T/small"; then umount -l "$T/small"; fi
	return "$bad"
}

dead() { route dead "$1" -d spool -R run "${@:2}"; }
# One connection that refuses lines whose id begins with x, for good; takes N lines.
refuser() { python3 "$BATS_TEST_DIRNAME/refuser.py" "run/to-${1:-store}" "${@:2}"; }
numbers() { dead list --json "$@" | sed 's/^{"seq":\([0-9]*\).*/\1/'; }
letters() { dead list --json "$@" | wc -l; }

some_dead() {
	${1:-hub}
	for i in 1 2 3; do event "x$i" t "{\"n\":$i}" '"partitionkey":"k"'; done | put > /dev/null
	event ok t '{}' '"partitionkey":"k"' | put > /dev/null
	refuser store 4
	wait_until 5 has store dead 3
}

@test "a letter says what happened: number, destination, attempts, error, time, stderr" {
	some_dead
	jq -e '.dead.dest == "store" and .dead.attempts == 1 and .dead.error == "no: \"x1\"" and .dead.stderr == "Traceback:\n  line 1\n" and
		(.dead.at | test("^2[0-9-]*T.*Z$")) and (.line | fromjson | .id == "x1")' <(head -n 1 spool/dead/store.ndjson)
	run -0 --separate-stderr dead list
	[ "${#lines[@]}" = 4 ]
	[[ "${lines[0]}" == NUMBER*DESTINATION*TRY*AGE*ERROR*TYPE*ID ]]
	[[ "${lines[1]}" == *" store "*" 1 "*'no: "x1"'*" t "*x1 ]]
	run -0 --separate-stderr dead show "$(numbers | head -n 1)"
	[[ "$output" == *"error        no: \"x1\""* ]]
	[[ "$output" == *"  Traceback:"* ]]
	[[ "$output" == *'"id": "x1"'* ]]
	run -0 dead show --event "store:$(numbers | head -n 1)"
	[ "$output" = "$(event x1 t '{"n":1}' '"partitionkey":"k"')" ]
}

@test "list takes a destination, numbers and an expression" {
	some_dead
	[ "$(letters store)" = 3 ]
	[ "$(letters other)" = 0 ]
	[ "$(letters -w 'data.n > 1')" = 2 ]
	[ "$(letters "$(numbers | tail -n 1)")" = 1 ]
	run -1 dead list 17
	[[ "$output" == *"17: there is no such dead letter"* ]]
	run -2 dead list 'no spaces'
	run -2 dead list -w 'data.n >'
	[[ "$output" == *"-w: 1:"* ]]
	run -2 dead drop
	run -2 dead bury
}

@test "a retried letter goes to its destination alone, with a new number and its attempts from 0, and is gone" {
	echo 'all -> store, other' > rules
	some_dead
	first=$(numbers | head -n 1)
	run -0 --separate-stderr dead retry "$first"
	[ "$output" = "retried 1 dead letter" ]
	[ "$(letters)" = 2 ]
	grep -q '^{"_again":{"of":'"$first"',"to":"store"},"event":{.*"id":"x1"' spool/*.ndjson
	[ "$(take store 256 1 | ids)" = x1 ]
	wait_until 5 has store delivered 2
	# The other destination gets what it always would have, and no more.
	[ "$(take other 256 1 | ids)" = $'x1\nx2\nx3\nok' ]
	wait_until 5 has other delivered 4
	[ "$(cursor other pending)" = 0 ]
	dead retry --all -w 'data.n == 3' > /dev/null
	refuser store 1
	wait_until 5 has store dead 4
	[ "$(letters)" = 2 ]
	[ "$(dead list --json -w 'data.n == 3' | sed 's/.*"attempts":\([0-9]*\).*/\1/')" = 1 ]
}

@test "dropped letters are gone for good, with a hub and without one" {
	some_dead
	run -0 --separate-stderr dead drop "$(numbers | head -n 1)"
	[ "$output" = "dropped 1 dead letter" ]
	[ "$(numbers | wc -l)" = 2 ]
	daemon_stop hub
	[ "$(numbers | wc -l)" = 2 ]
	run -0 dead drop -w 'data.n == 2'
	[ "$(dead list --json | jq -r .id)" = x3 ]
	run -1 dead retry --all
	[[ "$output" == *"route does not run"* ]]
	hub
	[ "$(letters)" = 1 ]
	dead drop --all
	[ ! -s spool/dead/store.ndjson ]
}

@test "an edited letter keeps its number, and its id unless another is allowed; what is no event is refused" {
	some_dead
	n=$(numbers | head -n 1)
	dead show --event "$n" | sed 's/"n":1/"n":111/' | jq . > new
	dead replace "$n" < new
	[ "$(letters)" = 3 ]
	[ "$(dead show --event "$n" | jq -c .data)" = '{"n":111}' ]
	run -1 dead replace "$n" < <(dead show --event "$n" | sed 's/"x1"/"y1"/')
	[[ "$output" == *"--new-id"* ]]
	dead show --event "$n" | sed 's/"x1"/"y1"/' > new
	dead replace --new-id "$n" < new
	run -1 dead replace "$n" < <(echo '{"specversion":"1.0"}')
	run -1 dead replace --new-id "$n" < <(echo '{"specversion":"1.0"}')
	[[ "$output" == *"the event: "* ]]
	daemon_stop hub
	dead show --event "$n" | sed 's/"n":111/"n":222/' > new
	dead replace "$n" < new
	hub
	dead retry "$n"
	take store 256 1 > got
	[ "$(jq -c '[.id,.data.n]' got)" = '["y1",222]' ] || { cat got; false; }
}

@test "killed while letters are retried: each is said again once, and none is lost" {
	hub hub1
	events 1 600 50 | put 300 > /dev/null
	refuser store 600 --every
	wait_until 20 has store dead 600
	for i in 1 2 3 4 5 6; do
		before=$(letters)
		dead retry --all > "retry.$i" 2>&1 &
		retrying=$!
		wait_until 10 eval '[ "$(letters)" -lt '"$before"' ] || [ "$(letters)" = 0 ]'
		daemon_kill "hub$i"
		wait "$retrying" || true
		hub "hub$((i + 1))"
	done
	dead retry --all > /dev/null || true
	[ "$(letters)" = 0 ]
	cat spool/*.ndjson | sed -n 's/^{"_again":{"of":\([0-9]*\),"to":"store"}.*/\1/p' > said
	[ "$(wc -l < said)" = 600 ]
	[ "$(sort -u said | wc -l)" = 600 ]
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_until 20 has store delivered 600
	[ "$(ids w.out | sort -u | wc -l)" = 600 ]
	daemon_stop w
}

@test "a kill between the letter and the cursor: the line is dead once, and not given again" {
	some_dead
	daemon_stop hub
	# As a kill leaves it: the letters are kept, the cursor says nothing of them.
	cp spool/cursor/store cursor.new
	rm -rf spool
	hub
	for i in 1 2 3; do event "x$i" t '{}' '"partitionkey":"k"'; done | put > /dev/null
	cp spool/cursor/store cursor.old
	refuser store 3
	wait_until 5 has store dead 3
	daemon_stop hub
	cp cursor.old spool/cursor/store
	hub
	[ "$(letters)" = 3 ]
	event last t '{}' '"partitionkey":"k"' | put
	[ "$(take store 256 1 | ids)" = last ]
	wait_until 5 has store delivered 1
	[ "$(cursor store dead)" = 3 ]
	[ "$(cursor store pending)" = 0 ]
}

@test "half a letter, a marked one and one torn in its mark are passed over; the file is packed" {
	some_dead
	daemon_stop hub
	sed -i '1s/^{"dead"/{"gone"/; 2s/^{"dead"/{"goad"/' spool/dead/store.ndjson
	printf '{"dead":{"dest":"store","seq":5' >> spool/dead/store.ndjson
	[ "$(dead list --json | jq -r .id)" = x3 ]
	hub
	[ "$(dead list --json | jq -r .id)" = x3 ]
	dead drop --all
	[ ! -s spool/dead/store.ndjson ]
}

@test "many letters: a retry in many orders, while the file is packed under it" {
	hub
	events 1 5000 50 | put 1000 > /dev/null
	refuser store 5000 --every
	wait_until 20 has store dead 5000
	[ "$(letters)" = 5000 ]
	run -0 --separate-stderr dead drop -w 'data.user.id == "u1"'
	run -0 --separate-stderr dead retry --all
	[ "$(letters)" = 0 ]
	[ "$(cat spool/*.ndjson | grep -c '^{"_again"')" = "$(events 1 5000 | grep -vc '"id":"u1"')" ]
}

@test "a destination that the rules no longer name: its letters can be dropped, not retried" {
	some_dead
	echo 'all -> other' > rules
	daemon_signal hub HUP
	wait_for hub.err 'no longer in the rules, nothing left: closed'
	run -1 dead retry --all
	[[ "$output" == *"the rules name no destination store"* ]]
	dead drop "$(numbers | head -n 1)"
	[ "$(letters)" = 2 ]
}

@test "a disk that fails: a retry says so, nothing is sent and no letter is gone" {
	some_dead shim_hub
	: > fail-sync
	run -1 dead retry --all
	[[ "$output" == *"nothing was said again: Input/output error"* ]]
	[ "$(letters)" = 3 ]
	run -1 dead retry --all
	rm fail-sync
	wait_until 10 eval 'dead retry --all > out'
	[ "$(cat out)" = "retried 3 dead letters" ]
	[ "$(letters)" = 0 ]
	[ "$(take store 256 1 | ids)" = $'x1\nx2\nx3' ]
}

@test "a loss of power after a retry, a drop and an edit: each has happened, once" {
	some_dead power_hub
	n=($(numbers))
	dead retry "${n[0]}"
	dead drop "${n[1]}"
	dead show --event "${n[2]}" | sed 's/"n":3/"n":33/' > new
	dead replace "${n[2]}" < new
	power_loss
	hub
	[ "$(dead list --json | jq -c '[.seq,.edited]')" = "[${n[2]},true]" ]
	[ "$(dead show --event --all | jq .data.n)" = 33 ]
	[ "$(cat spool/*.ndjson | grep -c '^{"_again"')" = 1 ]
	dead retry --all
	take store 256 1 > got
	[ "$(grep -c '"id":"x1"' got)" = 1 ]
	[ "$(grep -c '"id":"x2"' got)" = 0 ]
	[ "$(grep -c '"id":"x3"' got)" = 1 ]
}

@test "a full disk: a line that dies is a letter all the same, of the room that is held back; a drop works too" {
	mkdir small
	mount -t tmpfs -o size=4m tmpfs small 2>/dev/null || skip "needs to mount a tmpfs: run as root"
	mkdir small/spool
	ln -s small/spool spool
	hub --segment 256k
	for i in 1 2 3; do event "x$i" t "{\"n\":$i}"; done | put > /dev/null
	head -c 8m /dev/zero > small/fill 2> /dev/null || true
	run -0 put < <(events 1 200)
	[[ "$output" == *"No space left on device, retry"* ]]
	refuser store 3
	wait_until 5 has store dead 3
	[ "$(letters)" = 3 ]
	dead drop -w 'data.n == 2'
	[ "$(letters)" = 2 ]
	run -1 dead retry --all
	[[ "$output" == *"No space left on device"* ]]
	rm small/fill
	wait_until 20 eval 'dead retry --all > out'
	[ "$(take store 256 1 | ids)" = $'x1\nx3' ]
}

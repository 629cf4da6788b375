load store

teardown() {
	local bad=0
	daemons_end || bad=1
	[ ! -d "$T/disk" ] || umount "$T/disk" 2>/dev/null || true
	return "$bad"
}

long() { # BYTES: a line of so many bytes, LF not counted
	local head='{"specversion":"1.0","id":"long-'$1'","source":"/s","type":"t","data":{"text":"' tail='"}}'
	printf '%s%s%s\n' "$head" "$(head -c $(($1 - ${#head} - ${#tail})) /dev/zero | tr '\0' "${2:-x}")" "$tail"
}

@test "a line of 1 MiB is stored, one byte more is refused" {
	long 1048576 >in
	long 1048577 >more
	run -1 store -d h < <(cat more in more)
	[[ "$output" == *"line 1"* && "$output" == *"line 3"* ]]
	cmp in <(export_all)
}

@test "answers: at most n lines, at most 4 MiB, and it says when there is more" {
	for i in 1 2 3 4 5; do long $((1000000 + i)); done | store -d h
	events 1 1200 1 1 | store -d h
	serve
	[[ "$(head_of '{"q":"last","tenant":"t0","n":1000}')" == '{"n":1000,"seq":[201,'*'],"more":true}' ]]
	[[ "$(head_of '{"q":"last","tenant":"t0","n":1001}')" == '{"error":"n: '* ]]
	[[ "$(head_of '{"q":"last"}')" == '{"n":4,"seq":[2,3,4,5],"more":true}' ]]
	[[ "$(head_of '{"q":"after","seq":0}')" == '{"n":4,"seq":[1,2,3,4],"more":true}' ]]
	[ "$(ask '{"q":"last","n":1}' | tail -n 1)" = "$(long 1000005)" ]
	# All of a conversation, page by page
	seq=0 more=true
	: >out
	while [ "$more" = true ]; do
		ask "{\"q\":\"after\",\"tenant\":\"t0\",\"key\":\"test:r0\",\"seq\":$seq,\"n\":500}" >page
		more=$(head -n 1 page | jq .more) seq=$(head -n 1 page | jq '.seq[-1]')
		tail -n +2 page >>out
	done
	cmp out <(export_all -T t0)
}

@test "many tenants with two databases open: descriptors stay bounded, nothing is lost" {
	events 1 2000 5 50 >in
	mkfifo pipe
	store -d h -n 2 <pipe 3>&- &
	pid=$!
	exec 8>pipe
	head -n 1000 in >&8
	all_there() { [ "$(find h -name '*.db' | wc -l)" -eq 50 ]; }
	wait_until 30 all_there
	[ "$(find /proc/$pid/fd -lname '*/h/*' | wc -l)" -le $((1 + 3 * 4)) ]
	tail -n 1000 in >&8
	exec 8>&-
	wait $pid
	cmp <(sort in) <(export_all | sort)
	store -d h -n 2 <in
	cmp <(sort in) <(export_all | sort)
	run -0 store --check -d h
	[ "$(grep -c ': ok, 40 events' <<<"$output")" -eq 50 ]
}

@test "a full disk: a clear message, nothing lost, and it goes on when there is room" {
	mkdir disk
	mount -t tmpfs -o size=3m tmpfs disk 2>/dev/null || skip "needs to mount a tmpfs"
	events 1 20000 5 2 >in
	mkfifo pipe
	exec 8<>pipe
	store -d disk/h <pipe 2>err 8>&- 3>&- &
	pid=$!
	cat in >pipe 8>&- &
	cat=$!
	wait_for err 'disk/h/t[01].db: the disk is full: free space'
	# What was acknowledged before stays readable.
	[ "$(store -x -d disk/h 2>/dev/null | wc -l)" -gt 100 ]
	mount -o remount,size=200m disk
	wait $cat
	exec 8>&-
	wait $pid
	cmp <(sort in) <(store -x -d disk/h | sort)
	store --check -d disk/h
	grep -q 'works again' err
	[ "$(grep -c 'the disk is full' err)" -le 40 ]
}

@test "a full disk behind a hub: the batch is kept, no line becomes a dead letter" {
	mkdir disk
	mount -t tmpfs -o size=3m tmpfs disk 2>/dev/null || skip "needs to mount a tmpfs"
	events 1 12000 5 2 >in
	hub in 500
	daemon_start store store -i "ipc://$T/hub" -d disk/h -q "ipc://$T/q"
	wait_for store.err 'disk/h/t[01].db: the disk is full: free space'
	# Questions are answered meanwhile.
	[[ "$(head_of '{"q":"last","tenant":"t9"}')" == '{"n":0,'* ]]
	[[ "$(head_of '{"q":"last","tenant":"t0","n":2}')" == '{"n":2,'* ]]
	[[ "$(head_of '{"q":"last","tenant":"t1","n":2}')" == '{"n":2,'* ]]
	mount -o remount,size=200m disk
	wait_for hub.out '^all done' 60
	[ -z "$(grep '^done' hub.out | grep -v ', 0 refused')" ]
	daemon_stop store
	cmp <(sort in) <(store -x -d disk/h | sort)
}

@test "a full disk: told to stop, it gives back what it kept" {
	mkdir disk
	mount -t tmpfs -o size=3m tmpfs disk 2>/dev/null || skip "needs to mount a tmpfs"
	events 1 12000 5 2 >in
	hub in 500
	daemon_start store store -i "ipc://$T/hub" -d disk/h
	wait_for store.err 'disk/h/t[01].db: the disk is full: free space'
	daemon_stop store
	mount -o remount,size=200m disk
	daemon_start store store -i "ipc://$T/hub" -d disk/h
	daemon_stop store
	store --check -d disk/h
}

@test "a read-only disk: it can be read, and says why it is not written" {
	mkdir disk
	mount -t tmpfs tmpfs disk 2>/dev/null || skip "needs to mount a tmpfs"
	events 1 2000 5 2 >in
	store -d disk/h <in
	mount -o remount,ro disk
	cmp <(sort in) <(store -x -d disk/h | sort)
	store --check -d disk/h
	run -1 store -d disk/h </dev/null
	[[ "$output" == *"disk/h/.lock: Read-only file system"* ]]
}

@test "another process keeps one tenant's database locked: the others go on" {
	chat 0 x u r t1 | store -d h
	mkfifo sql
	sqlite3 h/t1.db <sql >sql.out 3>&- &
	exec 8>sql
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&8
	wait_for sql.out 1
	{ chat 1 x u r t1; chat 2 x u r t2; } >in
	hub in 2
	daemon_start store store -i "ipc://$T/hub" -d h
	wait_for hub.out '^done b1'
	grep '^done b1' hub.out | grep -q '1 refused \[1 h/t1.db: database is locked: .*, retry\]'
	[ "$(export_all -T t2 | wc -l)" -eq 1 ]
	echo '.quit' >&8
	exec 8>&-
	daemon_stop store
}

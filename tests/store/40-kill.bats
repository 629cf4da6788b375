load store

@test "killed in the middle, over and over: everything once" {
	events 1 40000 20 8 >in
	daemon_start hub "$P" deal "ipc://$T/hub" in 500
	daemon_run store store -i "ipc://$T/hub" -d h
	for n in 5 12 20 30 45 60; do
		enough() { [ "$(grep -c '^done' hub.out)" -ge "$n" ]; }
		wait_until 60 enough
		daemon_kill store
		daemon_run store store -i "ipc://$T/hub" -d h
	done
	wait_for hub.out '^all done' 60
	daemon_stop store
	[ "$(grep -c '^lost' hub.out)" -ge 1 ]
	cmp <(sort in) <(export_all | sort)
	run -0 store --check -d h
	[ "$(grep -c ': ok, 5000 events' <<<"$output")" -eq 8 ]
}

@test "killed while it takes a pipe; the pipe again: everything once, in order" {
	events 1 30000 20 3 >in
	mkfifo pipe
	store -d h <pipe 3>&- &
	pid=$!
	exec 8>pipe
	head -n 20000 in >&8
	some() { [ "$(store -x -d h -T t2 2>/dev/null | wc -l)" -ge 1000 ]; }
	wait_until 20 some
	kill -9 $pid
	wait $pid || true
	exec 8>&-
	store -d h <in
	for t in 0 1 2; do
		cmp <(grep "\"tenant\":\"t$t\"" in) <(export_all -T t$t)
	done
}

@test "two stores never share a folder" {
	serve
	run -1 store -d h </dev/null
	[[ "$output" == *"process $(daemon_pid store) stores here already"* ]]
	daemon_kill store
	chat 1 x | store -d h
	[ "$(export_all | wc -l)" -eq 1 ]
}

@test "the export and the check read beside a store that writes" {
	events 1 5000 5 1 >in
	mkfifo pipe
	store -d h <pipe 3>&- &
	pid=$!
	exec 8>pipe
	head -n 2500 in >&8
	half() { [ "$(store -x -d h 2>/dev/null | wc -l)" -eq 2500 ]; }
	wait_until 20 half
	cmp <(head -n 2500 in) <(export_all)
	store --check -d h
	tail -n 2500 in >&8
	exec 8>&-
	wait $pid
	cmp in <(export_all)
}

@test "TERM: what was taken is stored and reported" {
	events 1 5000 5 2 >in
	hub in 1000
	daemon_start store store -i "ipc://$T/hub" -d h -M m
	wait_for hub.out '^done b1'
	daemon_stop store
	[ "$(export_all | wc -l)" -ge $(($(grep -c '^done' hub.out) * 1000)) ]
	[ -z "$(find h -name '*-wal')" ]
	daemon_start store store -i "ipc://$T/hub" -d h -M m
	wait_for hub.out '^all done'
	daemon_stop store
	cmp <(sort in) <(export_all | sort)
}

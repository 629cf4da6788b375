# As `make install` lays it out, at another place than the one it was built for.
load ../lib/daemon
load tree

setup() {
	unset PENSTOCK_SHARE
	mkdir -p "$T/usr/bin" "$T/usr/libexec/penstock" "$T/usr/share/penstock"
	cp "$BIN/penstock" "$T/usr/bin/"
	for p in "$BIN"/*; do [ "${p##*/}" = penstock ] || cp "$p" "$T/usr/libexec/penstock/"; done
	cp -R "$ROOT/share/." "$T/usr/share/penstock/"
	PATH=$T/usr/bin:/usr/bin:/bin
}

@test "penstock finds its programs and its files beside itself" {
	tree_small
	tree_up
	run -0 p send --text hello
	[ "$(readlink "/proc/$(service_pid route)/exe")" = "$T/usr/libexec/penstock/route" ]
	run -0 p tail --once -n 1
	[[ $output == *hello* ]]
	run -0 p down
}

@test "a link to it works, and a stranger's programs of the same names beside it are not taken" {
	mkdir "$T/home"
	ln -s "$T/usr/bin/penstock" "$T/home/penstock"
	printf '#!/bin/sh\nexit 1\n' >"$T/usr/bin/supervise"
	chmod 755 "$T/usr/bin/supervise"
	PATH=$T/home:/usr/bin:/bin
	tree_small
	tree_up
	run -0 p down
}

@test "a program that is missing is named" {
	tree_small
	rm "$T/usr/libexec/penstock/supervise"
	run -1 tree_up
	[[ $output == *"supervise: No such file"*"installed whole?"* ]]
	rm -r "$D"
}

@test "a whole tree comes up: analyze finds its model, too" {
	tree_new
	run -0 tree_up
	run -0 "$T/usr/libexec/penstock/analyze" --text 'I love it'
	run -0 p down
}

# share/completion/penstock.bash goes by what --help says, so that is what it is compared with.
load ../lib/daemon
load tree
load tabs

setup() { cd "$T"; }

programs() { sed -nE 's/^([a-z]+)_OBJS *:=.*/\1/p' "$ROOT"/src/*/files.mk | grep -vx penstock; }
# Every command that has a --help of its own, a line each.
commands() {
	programs
	printf 'route %s\n' spool ledger dead
	penstock help | sed -nE 's/^  ([a-z]+)  .*/penstock \1/p' | grep -vE ' (help|version)$'
}
# COMMAND OPTION VALUE, a line for each form of each option that it has; VALUE is - for none.
options() {
	local c
	commands | while read -r c; do
		$c --help </dev/null | sed -nE "s/^ {2,6}((-.), )?(--[a-z0-9-]+)( ([^ ]+))? .*/$c,\\2,\\3,\\5/p"
	done | awk -F, -v OFS=, '{ v = $4 == "" ? "-" : $4; print $1, $3, v; if ($2 != "") print $1, $2, v }'
}

@test "every option that --help prints is offered, and no other, for every program and every command" {
	options | awk -F, '{ print $1 " " $2 }' | LC_ALL=C sort >want
	[ "$(commands | wc -l)" -ge 30 ]
	[ "$(wc -l <want)" -gt 400 ]
	commands | sed 's/$/ -/' >lines
	tabs <lines | awk '{ c = $1; i = 2; while (i <= NF && $i !~ /^-/) c = c " " $(i++); for (; i <= NF; i++) print c " " $i }' | LC_ALL=C sort >got
	diff want got
}

@test "the words to choose from are offered behind an option, with a blank or with =" {
	options | awk -F, '$3 ~ /\|/ {
		n = split($3, w, "|")
		for (i = 1; i <= n; i++) print $1 " " $2 " ," w[i]
		for (i = 1; i <= n && $2 ~ /^--/; i++) print $1 " " $2 "=," w[i] }' | LC_ALL=C sort >want
	[ "$(wc -l <want)" -ge 150 ]
	cut -d, -f1 want | uniq | tabs | sed -E 's/^(.* --?[A-Za-z-]+[ =])/\1,/' |
		awk -F, '{ n = split($2, w, " "); for (i = 1; i <= n; i++) print $1 "," w[i] }' | LC_ALL=C sort >got
	diff want got
}

@test "names come from the tree, words from the forms of use, files and directories where they are wanted" {
	tree_small
	mkdir -p "$D/etc/accounts/acme" "$D/log/gone" "$D/service/rm;reboot" "$D/spool/cursor" "$D/run"
	touch "$D/etc/accounts/acme/shop.conf" "$D/etc/accounts/acme/shop.token" "$D/spool/cursor/store" "$D/run/gatewayd@1.ctl"
	echo 2 >"$D/service/route/instances"
	echo 'a[$(touch bad)]' >"$D/service/rm;reboot/instances"
	printf 'night\n' >"$D/etc/flags"
	printf '%s\n' '#flag old -> store' '(flag raids or flag calm) and type == "x" -> store' >"$D/etc/rules"
	mkdir rooms
	touch rules
	while read -r line; do
		want=${line##*=>}
		printf '%s\t%s\n' "${line%% =>*}" "${want# }"
	done >cases <<-'EOF'
		penstock st => stage start status stop
		penstock -C tr => tree
		penstock -C tree restart r => route route@1 route@2
		penstock -Ctree restart route@2 => route@2
		penstock -C tree restart route@1 g =>
		penstock -C tree logs g => gone
		penstock -C tree drain g => gatewayd@1
		penstock -C tree drain --account s => shop
		penstock -C tree drain --account=sh => --account=shop
		penstock -C tree drain --tenant a => acme
		penstock -C tree spool cursor set s => store
		penstock -C tree swap --dest s => store
		penstock -C tree dead list s => store
		penstock -C tree flag on r => raids
		penstock -C tree flag off n => night
		penstock -C tree flag on o =>
		penstock query la => last
		penstock dead ret => retry
		penstock spool cursor s => set
		penstock lab fault ru => rules
		penstock lab vi => violations
		penstock swap analyze -- penst => penstock
		penstock swap analyze -- cat ru => rules
		penstock new r => rooms
		penstock send r => rooms rules
		penstock send < ru => rules
		penstock logs -fl w => warn
		penstock logs -n5 --ra => --raw
		route -d r => rooms
		route -r ru => rules
		route --rules=ru => --rules=rules
		route dead retr => retry
		supervise r => rooms
		stage -i ipc://ro => ipc://rooms/
		stage -i i => ipc://
		stage -a eof -- penst => penstock
		stage -- cat --t =>
		gatewayd r =>
		gatewayd --port r =>
	EOF
	[ "$(wc -l <cases)" -eq 39 ]
	cut -f1 cases | tabs >got
	paste got cases | while IFS=$'\t' read -r got line want; do
		got=$(printf '%s\n' ${got#"${line% *} "} | LC_ALL=C sort | paste -sd ' ')
		[ "$got" = "${want:-${line##* }}" ] || { echo "$line: $got, not $want"; exit 1; }
	done
	[ ! -e bad ] && [ ! -e "$D/bad" ]
}

@test "a new option is offered with no change of the file, and --help is asked once; a stranger of the same name is left alone" {
	mkdir own
	cat >own/logd <<-'EOF'
		#!/bin/sh
		echo "$*" >>"$0.calls"
		printf 'Usage: logd [--fresh cold|mild] DIR\nLogs.\n\n      --fresh cold|mild  new\n\nThe manual is logd(8).\n'
	EOF
	printf '#!/bin/sh\necho "Usage: route [-n] {add|del}"\n' >own/route
	chmod 755 own/*
	touch rules
	PATH=$T/own:$PATH
	run -0 tabs <<-'EOF'
		logd --f
		logd --fresh m
		logd --fresh=c
		route --sp
		route ru
	EOF
	[ "${lines[*]}" = "logd --fresh  logd --fresh mild  logd --fresh=cold  route --sp route rules " ]
	[ "$(cat own/logd.calls)" = --help ]
}

@test "what is not there is no word on standard error" {
	tree_small
	rm -r "$D/etc" "$D/service"
	cat >lines <<-EOF
		penstock -C $T/none restart r
		penstock -C $D restart r
		penstock -C $D drain --account r
		penstock -C $D flag on r
		penstock -C $D dead list r
		penstock -C lines swap r
		penstock nonsense r
		penstock help -
		./none/route --r
		route -d $T/none/r
		route -Z r
		route "r
	EOF
	tabs <lines | diff lines -
	# The echo of keys is on standard error too; at its start, bash has no terminal.
	run -1 grep -aE 'error|[Uu]sage|No such|not found|line [0-9]+:|unbound|invalid' "$T/tabs.err"
}

@test "installed, each program's completion is found by its name" {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$ROOT" install-completion DESTDIR="$T/root" PREFIX=/usr
	# As bash-completion does it: sources NAME or NAME.bash from a function when a command is first completed.
	cat >lazy <<-EOF
		lazy() {
			local dir=$T/root/usr/share/bash-completion/completions f
			for f in "\$dir/\${1##*/}" "\$dir/\${1##*/}.bash"; do
				[ ! -f "\$f" ] || { . "\$f" && return 124; }
			done
		}
		complete -D -F lazy
	EOF
	for p in penstock $(programs); do
		run -0 tabs "$T/lazy" <<<"$p --vers"
		[ "$output" = "$p --version " ]
	done
}
